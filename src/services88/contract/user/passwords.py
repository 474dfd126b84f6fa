"""Changing, setting and judging passwords."""

from typing import Protocol

from services88.contract.access import administrators, own_or_administrators
from services88.contract.enumerations import ChangePasswordType, UserType
from services88.contract.model import Secret, operation
from services88.contract.user.carriers import OperationResult, UserValidationResult


class Passwords(Protocol):
    """Changing, setting and judging passwords."""

    @operation("Services84")
    def change_own_password(self, old_password: Secret, new_password: Secret) -> bool:
        """Changes the password of the calling user.

        The docs state no failure mode: whether a wrong old password or a policy violation yields
        Response=false or an ExceptionInfo is unknown (SoInvalidPasswordException exists in the
        core library).
        The core library documents that ordinary named users may change only their own password;
        anonymous users may change none.

        :param old_password: The caller's current password; the docs repeat that administrators may
            leave it blank to force a new password.
        :param new_password: The password to set.
        :returns: true when the password was changed.
        """

    @operation("Services84", access=own_or_administrators("associate_id"))
    def change_password(
        self, associate_id: int, old_password: Secret, new_password: Secret
    ) -> bool:
        """Changes the password of the user with the given associate id.

        Administrators may leave OldPassword blank to force a new password.
        In the core library the old password must be the current valid one.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param old_password: The target user's current password; an administrator may send it empty
            to force a new password.
        :param new_password: The password to set.
        :returns: true when the password was changed.
        """

    @operation("Services84", access=own_or_administrators("associate_name"))
    def change_password_from_name(
        self, associate_name: str | None, old_password: Secret, new_password: Secret
    ) -> bool:
        """Changes the password of the user with the given associate name.

        Administrators may leave OldPassword blank to force a new password.

        :param associate_name: User name of the user whose password changes.
        :param old_password: The target user's current password; an administrator may send it empty
            to force a new password.
        :param new_password: The password to set.
        :returns: true when the password was changed.
        """

    @operation("Services84", access=administrators("associate_id"))
    def set_password(self, associate_id: int, password: Secret) -> bool:
        """Sets a new password for the user with the given associate id without giving the old one.

        Core documentation of the underlying user class: setting another user's password needs
        administrative rights; without them an SoIllegalOperationException is documented.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param password: The new password.
        :returns: Success flag.
        """

    @operation("Services84", access=administrators("associate_name"))
    def set_password_from_name(self, associate_name: str | None, password: Secret) -> bool:
        """Sets a new password for the user with the given name without giving the old one.

        Core documentation of the underlying user class: setting another user's password needs
        administrative rights; without them an SoIllegalOperationException is documented.

        :param associate_name: User name of the user whose password is set.
        :param password: The new password.
        :returns: Success flag.
        """

    @operation("Services84", access=administrators("associate_id"))
    def set_generated_password(self, associate_id: int) -> Secret:
        """Generates a new password and assigns it to the user with the given associate id.

        Length and alphabet of the generated password are unknown.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :returns: The generated password in clear text.
        """

    @operation("Services84", access=administrators("associate_name"))
    def set_generated_password_from_name(self, associate_name: str | None) -> Secret:
        """Generates a new password and assigns it to the user with the given name.

        Same as SetGeneratedPassword, looked up by associate name.

        :param associate_name: Associate (login) name of the user the call concerns.
        :returns: The generated password in clear text.
        """

    @operation(
        "Services84", access=own_or_administrators("associate_id", or_nobody=True, reads=True)
    )
    def is_password_valid(
        self, associate_id: int, type: UserType, person_id: int, password: Secret
    ) -> bool:
        """Checks whether a password is acceptable for the described user.

        No service text; the core validator plugin checks the password policy (PasswordRules /
        PasswordPolicy preference). AssociateId may presumably be 0 for a user not yet saved
        (unknown).

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param type: Kind of user (UserType enum).
        :param person_id: Primary key of the person record behind the user (0 when there is none).
        :param password: Candidate password.
        :returns: true when acceptable.
        """

    @operation(
        "Services84", access=own_or_administrators("associate_id", or_nobody=True, reads=True)
    )
    def is_password_valid_with_reason(
        self, associate_id: int, type: UserType, person_id: int, password: Secret
    ) -> UserValidationResult | None:
        """Checks whether a password is acceptable for the described user and says why not.

        Reason texts are not documented; the policy preference can supply its own message (Msg).

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param type: Kind of user (UserType enum).
        :param person_id: Primary key of the person record behind the user (0 when there is none).
        :param password: Candidate password.
        :returns: UserValidationResult: Result (boolean) and Reason (string).
        """

    @operation("Services85")
    def can_change_password(self, associate_id: int) -> bool:
        """Tells whether the caller can change the given user's password.

        In the core library the answer also depends on whether the credential plugin of the user
        can change passwords (an Active Directory credential is managed elsewhere).

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :returns: true when the password can be changed.
        """

    @operation("Services88")
    def get_supported_change_password_types(
        self, associate_id: int
    ) -> list[ChangePasswordType] | None:
        """Lists the ways in which the password of the user can be changed.

        Email = by a change-password mail; Password = by providing a new password.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :returns: List of ChangePasswordType (Email, Password); empty when it cannot be changed at
            all.
        """

    @operation("Services88", access=own_or_administrators("associate_id"))
    def send_change_password_e_mail(self, associate_id: int) -> OperationResult | None:
        """Sends a change-password mail to the user's registered address.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :returns: OperationResult: Success flag and optional Message with the reason (may be a
            [SR_...] resource symbol).
        """
