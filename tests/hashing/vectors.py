"""Hashes made by other programs, with low costs so that verifying them takes no time.

Each says what made it. To make more: ask the same library for a hash of PASSWORD.
"""

from dataclasses import dataclass

__all__ = ["PASSWORD", "VECTORS", "Vector"]

PASSWORD = "vellum orbit quartz \u00e9"


@dataclass(frozen=True)
class Vector:
    made_by: str
    form: str
    secret: str
    password: str = PASSWORD

    def __str__(self) -> str:
        return f"{self.form} by {self.made_by}"


VECTORS = (
    Vector(
        "bcrypt 5.0.0",
        "bcrypt",
        "$2b$04$uB.EnVD/SObNsdy3wILA9u5qE13Sz1EThhHAhrmaNq0Flj5miejQW",
    ),
    Vector(
        "bcrypt 5.0.0",
        "bcrypt",
        "$2a$04$MAt8w6ifj/QCeElsXr3hi.bpN/.OwsUXnvSwvEO6y2uJNemsDmqFK",
    ),
    Vector(
        "crypt(3)",
        "bcrypt",
        "$2b$05$abcdefghijklmnopqrstuuNAdaS.jyLNjT9EMV2mLBs/jnjuJYqnC",
    ),
    Vector(
        "crypt(3)",
        "bcrypt",
        "$2y$05$abcdefghijklmnopqrstuuNAdaS.jyLNjT9EMV2mLBs/jnjuJYqnC",
    ),
    Vector(
        "PHP's manual",
        "bcrypt",
        "$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq",
        "rasmuslerdorf",
    ),
    Vector(
        "libpass 1.9.4",
        "pbkdf2-sha256",
        "$pbkdf2-sha256$1000$vpcSIqQ0hvA.B0AIQajVug$X1g2VAuE00foYEvLhFKTQKDdo2bx3k/yGFLbsg2yGzU",
    ),
    Vector(
        "passlib's manual",
        "pbkdf2-sha256",
        "$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44",
        "password",
    ),
    Vector(
        "libpass 1.9.4",
        "pbkdf2-sha512",
        "$pbkdf2-sha512$1000$3BujVIrxnnMuhRBiDIFQ6g$3eYC1DDiXH2CMPwm7MDRj2MDR/F/vmXLXzeWYLrJ/P3U"
        "HxhATnyQBqtkQeL81.o9U9G7yXqIX2WMEe03qYpqkw",
    ),
    Vector(
        "libpass 1.9.4",
        "scrypt",
        "$scrypt$ln=10,r=8,p=1$L4WQEgLgPKfUuleqNaaU8g$t9lM4jyuHKWVRyyC9FGly2ttDWGXDskTQE3v3kCqWQU",
    ),
    Vector(
        "RFC 7914, the first half of what it gives",
        "scrypt",
        "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI",
        "pleaseletmein",
    ),
    Vector("libpass 1.9.4", "ssha", "{SSHA}YS83xDE1/AVePsjmBMoG7qR2wR4451yr"),
    Vector(
        "libpass 1.9.4",
        "ssha",
        "{SSHA}SpfJCUogSfjj/MtlUHwF/YVb2AyMsVYqJSTEGMM4B0DofS/l",
    ),
    Vector("openssl dgst -sha1", "ssha", "{SSHA}BGPGwQMnACEcqKhuLD8g6fTICmZzYWx0c2FsdA=="),
    Vector("the same", "ssha", "{ssha}BGPGwQMnACEcqKhuLD8g6fTICmZzYWx0c2FsdA=="),
    Vector(
        "Django 5.2.19",
        "django-pbkdf2-sha256",
        "pbkdf2_sha256$1000$seasalt0seasalt$uJ5zWDTL0kNKLcQm08mTYe/5vgHhYPVfHBIUWkuE8yE=",
    ),
    Vector(
        "Django 5.2.19",
        "django-argon2",
        "argon2$argon2id$v=19$m=1024,t=2,p=2$cjhZWGNaa20zekVXNHhWekU4b2s4NQ"
        "$mbsYiLQ4qJbWi8ZxUSMYLHjUHfyJBjzWRgEFJ6wlMzk",
    ),
    Vector(
        "Django 5.2.19",
        "django-bcrypt-sha256",
        "bcrypt_sha256$$2b$04$lgh4yQcktONkGu4ZI/FqSeFqXqbUUquSwaZax1/ElGFlmAFzVz2hi",
    ),
    Vector(
        "Django 5.2.19",
        "django-bcrypt-sha256",
        "bcrypt_sha256$$2b$04$.l7gzyjzhauNNyx0y1h2iO56ebj/L4hOf7lnwHj37mJK58yefeC0S",
        "y" * 100,
    ),
    Vector(
        "Django 5.2.19",
        "django-bcrypt",
        "bcrypt$$2b$04$FyNyr8.eysIbWm5Gcx.k1eHz/Rd.AbwC7cdb/u8HWdbK9MEHt0CwK",
    ),
    Vector(
        "Django 5.2.19",
        "django-scrypt",
        "scrypt$1024$seasalt0seasalt$8$5$PBYLq+KI8jayxt0BOZ/w913PDY6VS3B4LXw8gPIztHsQ83furhz7NoA4"
        "jzlC5YjmmdS5WXap418QA6m85ggzVQ==",
    ),
    Vector(
        "Django's own tests",
        "django-scrypt",
        "scrypt$16384$seasalt$8$5$ECMIUp+LMxMSK8xB/IVyba+KYGTI7FTnet025q/1f/vBAVnnP3hdYqJuRi+mJn6j"
        "i6ze3Fbb7JEFPKGpuEf5vw==",
        "l\u00e8tmein",
    ),
    Vector(
        "argon2-cffi 25.1.0",
        "argon2id",
        "$argon2id$v=19$m=1024,t=1,p=1$jtILUeMx9R4XRT5lHDdXzw"
        "$b3q0/6lGnbgsx/3Cn1+RSHLjO7loe1W1YhQUJVdPslE",
    ),
    Vector(
        "argon2's command line",
        "argon2id",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "password",
    ),
    Vector(
        "argon2-cffi 25.1.0",
        "argon2i",
        "$argon2i$v=19$m=1024,t=1,p=1$VW056yCWmrAkf8w7DgjBJA"
        "$FFLLkGNHQqw4F39skmULr8Uatzorro0w3WBT4Mz1pew",
    ),
)
