"""User names: valid ones, free ones."""

from typing import Protocol

from services88.contract.access import administrators
from services88.contract.enumerations import UserType
from services88.contract.model import operation
from services88.contract.user.carriers import User, UserValidationResult


class UserNames(Protocol):
    """User names: valid ones, free ones."""

    @operation("Services84", access=administrators())
    def is_user_name_valid(
        self, associate_id: int, type: UserType, person_id: int, user_name: str | None
    ) -> bool:
        """Checks whether a user name is acceptable for the described user.

        No service text; the default core validator rejects a name already in use. Validator
        plugins run in a chain and any of them may reject.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param type: Kind of user (UserType enum).
        :param person_id: Primary key of the person record behind the user (0 when there is none).
        :param user_name: Candidate user name.
        :returns: true when acceptable.
        """

    @operation("Services84", access=administrators())
    def is_user_name_valid_with_reason(
        self, associate_id: int, type: UserType, person_id: int, user_name: str | None
    ) -> UserValidationResult | None:
        """Checks whether a user name is acceptable for the described user and says why not.

        Reason texts are not documented.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param type: Kind of user (UserType enum).
        :param person_id: Primary key of the person record behind the user (0 when there is none).
        :param user_name: Candidate user name.
        :returns: UserValidationResult: Result (boolean) and Reason (string).
        """

    @operation("Services84", access=administrators())
    def get_valid_user_name(
        self, associate_id: int, type: UserType, person_id: int, user_name: str | None
    ) -> str | None:
        """Returns a valid user name based on a proposed one for the described user.

        No service text; meaning inferred from the name and from the core method that assigns a
        valid name.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param type: Kind of user (UserType enum).
        :param person_id: Primary key of the person record behind the user (0 when there is none).
        :param user_name: Proposed user name.
        :returns: A valid user name.
        """

    @operation("Services87", access=administrators())
    def get_valid_user_name_for_new_user(self, user: User | None) -> str | None:
        """Generates a valid user name for a user that is not saved yet.

        :param user: The unsaved User carrier.
        :returns: A valid user name.
        """

    @operation("Services87", access=administrators())
    def get_default_associate_user_name(self, user: User | None) -> str | None:
        """Returns the default user name for the person of the given user.

        :param user: User carrier whose person is used.
        :returns: The default user name.
        """

    @operation("Services87", access=administrators())
    def is_nick_name_unique(self, associate_id: int, nick_name: str | None) -> bool:
        """Checks whether a nick name is not used by any other user.

        No service text; meaning inferred from the name.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param nick_name: Candidate nick name.
        :returns: true when unique.
        """
