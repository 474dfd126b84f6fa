"""Roles, functional rights and data rights."""

from typing import Protocol

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

    @operation("Services84")
    def create_default_role_entity(self) -> RoleEntity | None:
        """Builds a new unsaved role with default values.

        :returns: RoleEntity carrier.
        """

    @operation("Services84")
    def create_default_role_entity_from_type(self, type: RoleType) -> RoleEntity | None:
        """Builds a new unsaved role of a given type.

        The type of a role cannot be changed later.

        :param type: Kind of role (RoleType enum).
        :returns: RoleEntity carrier.
        """

    @operation("Services84")
    def get_role(self, role_id: int) -> Role | None:
        """Fetches the simple form of a role.

        :param role_id: Primary key of the role.
        :returns: Role carrier (Id, Value, Tooltip).
        """

    @operation("Services84")
    def get_role_entity(self, role_entity_id: int) -> RoleEntity | None:
        """Fetches the full form of a role.

        :param role_entity_id: Primary key of the role.
        :returns: RoleEntity carrier.
        """

    @operation("Services84")
    def get_all_roles(self, role_type: RoleType) -> list[SelectableMDOListItem] | None:
        """Lists all roles of a role type.

        Same as MDO list Roles with the role type number as extra.

        :param role_type: Kind of role: Employee, ExternalUser, Anonymous or System.
        :returns: List of SelectableMDOListItem.
        """

    @operation("Services84")
    def save_role_entity(self, role_entity: RoleEntity | None) -> RoleEntity | None:
        """Updates a role, or creates one when its id is 0.

        :param role_entity: Carrier to save.
        :returns: The saved RoleEntity.
        """

    @operation("Services84")
    def delete_role(self, role_id_to_delete: int, replacing_role_id: int) -> None:
        """Deletes a role and moves its users to another role.

        :param role_id_to_delete: Role to delete.
        :param replacing_role_id: Role that gets the users.
        """

    @operation("Services84")
    def get_all_functional_rights(self, role_type: RoleType) -> list[SelectableMDOListItem] | None:
        """Lists all functional rights of a role type.

        Same as MDO list FunctionRights with extra roleType=N.

        :param role_type: Kind of role: Employee, ExternalUser, Anonymous or System.
        :returns: List of SelectableMDOListItem with name and description; the code name stands in
            the extra-info property.
        """

    @operation("Services84")
    def get_functional_rights(self, role_id: int) -> list[SelectableMDOListItem] | None:
        """Lists the functional rights set on a role.

        Same as MDO list FunctionRights with extra role=N.

        :param role_id: Primary key of the role.
        :returns: List of SelectableMDOListItem; rights not set on the role are left out.
        """

    @operation("Services84")
    def set_functional_rights(self, role_id: int, functional_right_ids: list[int] | None) -> None:
        """Replaces the functional rights of a role.

        :param role_id: Primary key of the role.
        :param functional_right_ids: Ids of the rights to have; rights not listed are removed.
        """

    @operation("Services84")
    def find_roles_with_functional_right(
        self, functional_right_name: str | None
    ) -> list[MDOListItem] | None:
        """Finds the roles that hold one functional right.

        :param functional_right_name: Code name of the right.
        :returns: List of MDOListItem (roles).
        """

    @operation("Services84")
    def find_roles_with_functional_rights(
        self, functional_right_names: list[str | None] | None
    ) -> list[int] | None:
        """Finds the roles that hold at least one of several functional rights.

        :param functional_right_names: Functional right code names to look for.
        :returns: Role ids.
        """

    @operation("Services84")
    def find_roles_without_functional_rights(
        self, functional_right_names: list[str | None] | None
    ) -> list[int] | None:
        """Finds the roles that hold none of several functional rights.

        :param functional_right_names: Functional right code names to look for.
        :returns: Role ids.
        """

    @operation("Services88")
    def get_all_data_rights(
        self, role_id: int, relation_to_owner: RoleRelationToOwner
    ) -> StringDictionary:
        """Reads the data rights of a role for one relation to the owner.

        Added in Services88 (absent from the February 2023 documentation, present in the April 2026
        one).

        :param role_id: Primary key of the role.
        :param relation_to_owner: Relation to the data owner, a column of the data-rights matrix.
        :returns: Dictionary of table name to CRUD text (C, CR, CRU or CRUD).
        """

    @operation("Services84")
    def get_data_rights(self, role_id: int, table_name: str | None) -> StringDictionary:
        """Reads one row of the data-rights matrix.

        A position that does not exist raises an exception.

        :param role_id: Primary key of the role.
        :param table_name: Entity/table name, a row of the data-rights matrix.
        :returns: Dictionary of relation to CRUD text.
        """

    @operation("Services84")
    def get_data_right(
        self, role_id: int, table_name: str | None, relation_to_owner: RoleRelationToOwner
    ) -> str | None:
        """Reads one cell of the data-rights matrix.

        A position that does not exist raises an exception.

        :param role_id: Primary key of the role.
        :param table_name: Entity/table name, a row of the data-rights matrix.
        :param relation_to_owner: Relation to the data owner, a column of the data-rights matrix.
        :returns: CRUD text: C, CR, CRU or CRUD.
        """

    @operation("Services84")
    def set_data_right(
        self,
        role_id: int,
        table_name: str | None,
        relation_to_owner: RoleRelationToOwner,
        data_right_value: str | None,
    ) -> None:
        """Writes one cell of the data-rights matrix.

        A position that does not exist raises an exception.

        :param role_id: Primary key of the role.
        :param table_name: Entity/table name, a row of the data-rights matrix.
        :param relation_to_owner: Relation to the data owner, a column of the data-rights matrix.
        :param data_right_value: CRUD text to set.
        """
