"""Ask the server of this container whether it is ready; exit status 1 where it is not."""

import os
import ssl
import sys
import urllib.request

secure = bool(os.environ.get("SERVICES88_TLS_CERTIFICATE"))
port = os.environ.get("SERVICES88_PORT", "8088")
url = f"http{'s' if secure else ''}://127.0.0.1:{port}/-/health/ready"
# It asks itself, over loopback, for one word: the name in the certificate is another one.
context = ssl._create_unverified_context() if secure else None  # noqa: S323
try:
    with urllib.request.urlopen(url, timeout=4, context=context) as answer:  # noqa: S310
        print(answer.read().decode().strip())
except OSError as error:
    sys.exit(str(error))
