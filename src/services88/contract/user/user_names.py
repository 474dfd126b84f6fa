"""User names: valid ones, free ones."""

from typing import Protocol

from services88.contract.access import NOTHING, UserId, administrators
from services88.contract.enumerations import UserType
from services88.contract.model import operation
from services88.contract.user.carriers import User, UserValidationResult


class UserNames(Protocol):
    """User names: valid ones, free ones."""

    @operation(
        "Services84",
        access=administrators(
            UserId("associate_id"), reads=True, may_be_missing=True, our_choice=True
        ),
    )
    def is_user_name_valid(
        self, associate_id: int, type: UserType, person_id: int, user_name: str | None
    ) -> bool:
        """Checks whether a user can have a user name.

        A name that another user of the tenant has, retired users included, is not valid.

        :param associate_id: Associate id of the user, whose own name is valid; 0 for a new user.
        :param type: Kind of user. Names are judged alike for all kinds.
        :param person_id: Id of the person behind the user; not looked at.
        :param user_name: The name to check.
        :returns: true if the name is valid.
        """

    @operation(
        "Services84",
        access=administrators(
            UserId("associate_id"), reads=True, may_be_missing=True, our_choice=True
        ),
    )
    def is_user_name_valid_with_reason(
        self, associate_id: int, type: UserType, person_id: int, user_name: str | None
    ) -> UserValidationResult | None:
        """Checks whether a user can have a user name, and says why not.

        A name that another user of the tenant has, retired users included, is not valid.

        :param associate_id: Associate id of the user, whose own name is valid; 0 for a new user.
        :param type: Kind of user. Names are judged alike for all kinds.
        :param person_id: Id of the person behind the user; not looked at.
        :param user_name: The name to check.
        :returns: Result is true if the name is valid; otherwise Reason says why not.
        :open: The vendor's documentation does not give the texts of Reason. In services88 they are
            sentences for a person.
        """

    @operation(
        "Services84",
        access=administrators(
            UserId("associate_id"), reads=True, may_be_missing=True, our_choice=True
        ),
    )
    def get_valid_user_name(
        self, associate_id: int, type: UserType, person_id: int, user_name: str | None
    ) -> str | None:
        """Returns a valid user name for a user, made from a proposed one.

        :param associate_id: Associate id of the user, whose own name is valid; 0 for a new user.
        :param type: Kind of user. Names are judged alike for all kinds.
        :param person_id: Id of the person behind the user; not looked at.
        :param user_name: The proposed name.
        :returns: The proposed name, or where another user has it, the name with a number appended.
        :open: The vendor's documentation does not say how the name is made. services88 appends the
            first number from 2 on that makes it free.
        """

    @operation("Services87", access=administrators(NOTHING, reads=True, our_choice=True))
    def get_valid_user_name_for_new_user(self, user: User | None) -> str | None:
        """Returns a valid user name for a user who is not saved yet.

        :param user: The unsaved user.
        :returns: The user's UserName or Name, or where there is neither, a name made from the
            person, with a number appended where another user has it.
        """

    @operation("Services87", access=administrators(NOTHING, reads=True, our_choice=True))
    def get_default_associate_user_name(self, user: User | None) -> str | None:
        """Returns the default user name for the person of a user.

        :param user: The user whose person is looked at.
        :returns: A name that no user has.
        :open: The vendor's documentation does not say how the name is made. services88 takes the
            first name, else the last name, else the mailbox of the e-mail address, in capitals, and
            appends a number where another user has it.
        """

    @operation(
        "Services87",
        access=administrators(
            UserId("associate_id"), reads=True, may_be_missing=True, our_choice=True
        ),
    )
    def is_nick_name_unique(self, associate_id: int, nick_name: str | None) -> bool:
        """Checks that no other user of the tenant has a nick name.

        Retired users count; letter case does not.

        :param associate_id: Associate id of the user, whose own nick name is free to them.
        :param nick_name: The nick name to check.
        :returns: true if no other user has it.
        :open: The vendor's documentation does not say what an empty nick name gives. In services88
            it is free to everybody.
        """
