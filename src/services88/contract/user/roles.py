"""Roles, functional rights and data rights."""

from typing import Protocol

from services88.contract.access import (
    NOTHING,
    ROLE_ADMINISTRATORS,
    RightIds,
    RoleCarrier,
    RoleId,
    employees,
    holders,
)
from services88.contract.enumerations import RoleRelationToOwner, RoleType
from services88.contract.model import operation
from services88.contract.user.carriers import (
    MDOListItem,
    Role,
    RoleEntity,
    SelectableMDOListItem,
    StringDictionary,
)


class Roles(Protocol):
    """Roles, functional rights and data rights."""

    @operation("Services84", access=holders(ROLE_ADMINISTRATORS, NOTHING))
    def create_default_role_entity(self) -> RoleEntity | None:
        """Returns a new role for employees with default values.

        :returns: The role. It has the id 0 and is not saved.
        """

    @operation("Services84", access=holders(ROLE_ADMINISTRATORS, NOTHING))
    def create_default_role_entity_from_type(self, type: RoleType) -> RoleEntity | None:
        """Returns a new role of a type with default values.

        The type of a role never changes.

        :param type: Kind of users the role is for.
        :returns: The role. It has the id 0 and is not saved.
        """

    @operation("Services84", access=employees(RoleId("role_id"), our_choice=True))
    def get_role(self, role_id: int) -> Role | None:
        """Returns a role in brief.

        :param role_id: Id of the role.
        :returns: Id, name and tooltip; nil where no role has the id.
        """

    @operation("Services84", access=employees(RoleId("role_entity_id"), our_choice=True))
    def get_role_entity(self, role_entity_id: int) -> RoleEntity | None:
        """Returns a role in full.

        :param role_entity_id: Id of the role.
        :returns: The role with its data rights; nil where no role has the id.
        """

    @operation("Services84", access=employees(NOTHING, our_choice=True))
    def get_all_roles(self, role_type: RoleType) -> list[SelectableMDOListItem] | None:
        """Returns all roles of a type.

        :param role_type: Kind of users the roles are for.
        :returns: One item for each role.
        """

    @operation("Services84", access=holders(ROLE_ADMINISTRATORS, RoleCarrier("role_entity")))
    def save_role_entity(self, role_entity: RoleEntity | None) -> RoleEntity | None:
        """Changes a role, or creates one where its id is 0.

        :param role_entity: The role. Its type counts for a new role only.
        :returns: The role as saved.
        """

    @operation(
        "Services84",
        access=holders(
            ROLE_ADMINISTRATORS, RoleId("role_id_to_delete"), gives=RoleId("replacing_role_id")
        ),
    )
    def delete_role(self, role_id_to_delete: int, replacing_role_id: int) -> None:
        """Deletes a role and moves its users to another.

        :param role_id_to_delete: Id of the role.
        :param replacing_role_id: Id of the role that gets the users.
        """

    @operation("Services84", access=employees(NOTHING, our_choice=True))
    def get_all_functional_rights(self, role_type: RoleType) -> list[SelectableMDOListItem] | None:
        """Returns all functional rights that roles of a type can have.

        :param role_type: Kind of users the roles are for.
        :returns: One item for each right: name, description, and the code name as ExtraInfo.
        """

    @operation("Services84", access=employees(RoleId("role_id"), our_choice=True))
    def get_functional_rights(self, role_id: int) -> list[SelectableMDOListItem] | None:
        """Returns the functional rights of a role.

        :param role_id: Id of the role.
        :returns: One item for each right that the role has.
        """

    @operation(
        "Services84",
        access=holders(
            ROLE_ADMINISTRATORS, RoleId("role_id"), gives=RightIds("functional_right_ids")
        ),
    )
    def set_functional_rights(self, role_id: int, functional_right_ids: list[int] | None) -> None:
        """Sets the functional rights of a role.

        :param role_id: Id of the role.
        :param functional_right_ids: Ids of the rights that the role has from now on; it loses all
            others.
        """

    @operation("Services84", access=employees(NOTHING, our_choice=True))
    def find_roles_with_functional_right(
        self, functional_right_name: str | None
    ) -> list[MDOListItem] | None:
        """Returns the roles that have a functional right.

        :param functional_right_name: Code name of the right.
        :returns: One item for each role.
        """

    @operation("Services84", access=employees(NOTHING, our_choice=True))
    def find_roles_with_functional_rights(
        self, functional_right_names: list[str | None] | None
    ) -> list[int] | None:
        """Returns the roles that have at least one of several functional rights.

        :param functional_right_names: Code names of the rights.
        :returns: Ids of the roles.
        """

    @operation("Services84", access=employees(NOTHING, our_choice=True))
    def find_roles_without_functional_rights(
        self, functional_right_names: list[str | None] | None
    ) -> list[int] | None:
        """Returns the roles that have none of several functional rights.

        :param functional_right_names: Code names of the rights.
        :returns: Ids of the roles.
        """

    @operation("Services88", access=employees(RoleId("role_id"), our_choice=True))
    def get_all_data_rights(
        self, role_id: int, relation_to_owner: RoleRelationToOwner
    ) -> StringDictionary:
        """Returns the data rights of a role for one relation to the owner.

        :param role_id: Id of the role.
        :param relation_to_owner: Relation of the user to the owner of the data: a column of the
            matrix of data rights.
        :returns: Table name to rights: nothing, R, CR, CRU or CRUD.
        """

    @operation("Services84", access=employees(RoleId("role_id"), our_choice=True))
    def get_data_rights(self, role_id: int, table_name: str | None) -> StringDictionary:
        """Returns the data rights of a role for one table.

        A table that the matrix of data rights does not have is refused.

        :param role_id: Id of the role.
        :param table_name: Table name: a row of the matrix.
        :returns: Relation to the owner to rights: nothing, R, CR, CRU or CRUD.
        :open: The vendor's documentation does not say how the relations are written. In services88
            they are the names of RoleRelationToOwner.
        """

    @operation("Services84", access=employees(RoleId("role_id"), our_choice=True))
    def get_data_right(
        self, role_id: int, table_name: str | None, relation_to_owner: RoleRelationToOwner
    ) -> str | None:
        """Returns the data rights of a role for one table and one relation to the owner.

        A position that the matrix of data rights does not have is refused.

        :param role_id: Id of the role.
        :param table_name: Table name: a row of the matrix.
        :param relation_to_owner: Relation of the user to the owner of the data: a column of the
            matrix.
        :returns: Rights: nothing, R, CR, CRU or CRUD.
        """

    @operation("Services84", access=holders(ROLE_ADMINISTRATORS, RoleId("role_id")))
    def set_data_right(
        self,
        role_id: int,
        table_name: str | None,
        relation_to_owner: RoleRelationToOwner,
        data_right_value: str | None,
    ) -> None:
        """Sets the data rights of a role for one table and one relation to the owner.

        A position that the matrix of data rights does not have is refused.

        :param role_id: Id of the role.
        :param table_name: Table name: a row of the matrix.
        :param relation_to_owner: Relation of the user to the owner of the data: a column of the
            matrix.
        :param data_right_value: Rights: nothing, R, CR, CRU or CRUD.
        """
