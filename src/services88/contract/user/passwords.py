"""Changing, setting and judging passwords."""

from typing import Protocol

from services88.contract.access import (
    ONESELF,
    UserId,
    UserName,
    administrators,
    own_or_administrators,
    signed_in,
)
from services88.contract.enumerations import ChangePasswordType, UserType
from services88.contract.model import Secret, operation
from services88.contract.user.carriers import OperationResult, UserValidationResult


class Passwords(Protocol):
    """Changing, setting and judging passwords."""

    @operation("Services84", access=signed_in(ONESELF))
    def change_own_password(self, old_password: Secret, new_password: Secret) -> bool:
        """Changes the password of the caller.

        All other tickets of the caller end; the calling one stays valid. Administrators may leave
        OldPassword empty where the operator allows it.

        :param old_password: The current password.
        :param new_password: The password to set. It has to pass the password policy.
        :returns: true if the password was changed.
        :open: The vendor's documentation does not say how a refused password is reported.
            services88 responds false and gives the reason in ExtraInfo, or raises
            SoInvalidPasswordException where the operator chose exceptions.
        """

    @operation("Services84", access=own_or_administrators(UserId("associate_id")))
    def change_password(
        self, associate_id: int, old_password: Secret, new_password: Secret
    ) -> bool:
        """Changes the password of a user, found by associate id.

        For oneself it is the same as ChangeOwnPassword. Administrators may leave OldPassword empty
        to set the password of somebody else; all tickets of that user end.

        :param associate_id: Associate id of the user.
        :param old_password: The user's current password. Administrators may leave it empty for
            others; where they give it, it has to be right.
        :param new_password: The password to set. It has to pass the password policy.
        :returns: true if the password was changed.
        :open: The vendor's documentation does not say how a refused password is reported.
            services88 responds false and gives the reason in ExtraInfo, or raises
            SoInvalidPasswordException where the operator chose exceptions.
        """

    @operation("Services84", access=own_or_administrators(UserName("associate_name")))
    def change_password_from_name(
        self, associate_name: str | None, old_password: Secret, new_password: Secret
    ) -> bool:
        """Changes the password of a user, found by user name.

        Otherwise the same as ChangePassword.

        :param associate_name: User name, in any letter case.
        :param old_password: The user's current password. Administrators may leave it empty for
            others; where they give it, it has to be right.
        :param new_password: The password to set. It has to pass the password policy.
        :returns: true if the password was changed.
        :open: The vendor's documentation does not say how a refused password is reported.
            services88 responds false and gives the reason in ExtraInfo, or raises
            SoInvalidPasswordException where the operator chose exceptions.
        """

    @operation("Services84", access=administrators(UserId("associate_id")))
    def set_password(self, associate_id: int, password: Secret) -> bool:
        """Sets the password of a user, found by associate id, without the current one.

        All tickets of the user end. Administrators change their own password with
        ChangeOwnPassword, unless the operator allows otherwise.

        :param associate_id: Associate id of the user.
        :param password: The password to set. It has to pass the password policy.
        :returns: true if the password was set.
        """

    @operation("Services84", access=administrators(UserName("associate_name")))
    def set_password_from_name(self, associate_name: str | None, password: Secret) -> bool:
        """Sets the password of a user, found by user name, without the current one.

        Otherwise the same as SetPassword.

        :param associate_name: User name, in any letter case.
        :param password: The password to set. It has to pass the password policy.
        :returns: true if the password was set.
        """

    @operation("Services84", access=administrators(UserId("associate_id")))
    def set_generated_password(self, associate_id: int) -> Secret:
        """Generates a password and sets it for a user, found by associate id.

        All tickets of the user end.

        :param associate_id: Associate id of the user.
        :returns: The generated password. It is shown this once.
        :open: The vendor's documentation does not say how long a generated password is and of which
            characters. In services88 it has at least 20 characters and passes the password policy.
        """

    @operation("Services84", access=administrators(UserName("associate_name")))
    def set_generated_password_from_name(self, associate_name: str | None) -> Secret:
        """Generates a password and sets it for a user, found by user name.

        Otherwise the same as SetGeneratedPassword.

        :param associate_name: User name, in any letter case.
        :returns: The generated password. It is shown this once.
        """

    @operation(
        "Services84",
        access=own_or_administrators(
            UserId("associate_id"), new_is_own=True, reads=True, our_choice=True
        ),
    )
    def is_password_valid(
        self, associate_id: int, type: UserType, person_id: int, password: Secret
    ) -> bool:
        """Checks whether a password passes the password policy for a user.

        Never tells whether it is the user's password.

        :param associate_id: Associate id of the user; 0 for a user not saved yet.
        :param type: Kind of user. The policy is the same for all kinds.
        :param person_id: Id of the person behind the user; not looked at.
        :param password: The password to check.
        :returns: true if it passes.
        :open: The vendor's documentation does not say whether this asks for the policy or for the
            current password, nor whether AssociateId may be 0. services88 asks the policy, and
            takes 0 for a user not saved yet.
        """

    @operation(
        "Services84",
        access=own_or_administrators(
            UserId("associate_id"), new_is_own=True, reads=True, our_choice=True
        ),
    )
    def is_password_valid_with_reason(
        self, associate_id: int, type: UserType, person_id: int, password: Secret
    ) -> UserValidationResult | None:
        """Checks whether a password passes the password policy for a user, and says why not.

        Never tells whether it is the user's password.

        :param associate_id: Associate id of the user; 0 for a user not saved yet.
        :param type: Kind of user. The policy is the same for all kinds.
        :param person_id: Id of the person behind the user; not looked at.
        :param password: The password to check.
        :returns: Result is true if the password passes; otherwise Reason says what to do about each
            rule that it fails.
        :open: The vendor's documentation does not give the texts of Reason. In services88 they are
            sentences for a person, or the message (Msg) of the preference PasswordPolicy.
        """

    @operation("Services85", access=signed_in(UserId("associate_id"), our_choice=True))
    def can_change_password(self, associate_id: int) -> bool:
        """Checks whether the caller can change the password of a user.

        :param associate_id: Associate id of the user.
        :returns: true for oneself and, if the caller is an administrator who may change this user,
            for others. false where no user has the id.
        """

    @operation("Services88", access=signed_in(UserId("associate_id"), our_choice=True))
    def get_supported_change_password_types(
        self, associate_id: int
    ) -> list[ChangePasswordType] | None:
        """Returns the ways in which the caller can change the password of a user.

        :param associate_id: Associate id of the user.
        :returns: Email where a mail with a link can be sent, Password where a new password can be
            given; an empty list where there is no way.
        """

    @operation("Services88", access=own_or_administrators(UserId("associate_id"), our_choice=True))
    def send_change_password_e_mail(self, associate_id: int) -> OperationResult | None:
        """Sends the user a mail with a link to change the password.

        The link works once, within 30 minutes.

        :param associate_id: Associate id of the user.
        :returns: Success is true if the mail is on its way; Message says so, or why none can be
            sent and what to do about it.
        """
