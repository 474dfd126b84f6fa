"""How a test control is declared: once, as a method.

From the method's name, parameters, types, docstring and address follow the endpoint of the admin
API with its description (``api/``), the check of what is passed, and the methods of ``Services88``
(blocking) and ``AsyncServices88``. Type checkers and editors see those with their real signatures.
"""

import inspect
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import cached_property, update_wrapper
from types import MethodType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Concatenate,
    Generic,
    ParamSpec,
    TypeVar,
    get_origin,
    get_type_hints,
    overload,
)

from pydantic import BaseModel, Field, GetCoreSchemaHandler, TypeAdapter, create_model
from pydantic_core import CoreSchema

from services88.sandbox.models import Arguments

__all__ = ["ArgumentsOf", "Blocking", "Control", "Endpoint", "Owner"]

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]


class Owner:
    """Base of a class whose methods are test controls. They are for the loop of the server."""

    _prefix: ClassVar[str] = ""
    """Of the addresses of its endpoints."""

    async def _carry_out(self, control: "Control[..., Any]", *args: Any, **kwargs: Any) -> Any:
        return await control.work(self, **control.check(*args, **kwargs))


class Blocking:
    """Base of an owner whose test controls block until they are done, instead of being awaited."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Declares a test control that the admin API has as well: stands before its method.

    The placeholders of the path are the method's first parameters, in order; what is left comes in
    the query of a GET, else in the body. A parameter that is a model is the whole body.

    :ivar path: Below the owner's prefix, with ``{placeholders}``.
    :ivar name: The ``operationId``, where it is not the method's name.
    :ivar status: Of a successful response that has a body.
    :ivar body: Name of the body in the description; or a ready model with these fields.
    :ivar wrap: Model of one field, in which the result (or each of a list) is sent.
    :ivar respond_with: The control whose result is sent instead.
    :ivar also: Errors beside those that every endpoint has, by status.
    """

    method: str = ""
    path: str = ""
    name: str = ""
    status: int = 200
    body: str | type[BaseModel] = ""
    wrap: type[BaseModel] | None = None
    respond_with: Any = None
    also: Mapping[int, str] = field(default_factory=dict)

    def __call__(self, work: Work[P, T]) -> "Control[P, T]":
        """Declare the control."""
        return Control(work, self)


class Control(Generic[P, T]):
    """A test control. As a decorator it declares one that the admin API does not have.

    :ivar work: The method itself, for the loop of the server; its arguments were checked.
    :ivar owner: The class whose method it is.
    :ivar name: The ``operationId``.
    :ivar path: Below ``/__sandbox``.
    :ivar placeholders: Names in the path, by the parameters they stand for.
    """

    def __init__(self, work: Work[P, T], endpoint: Endpoint | None = None) -> None:
        update_wrapper(self, work)
        self.work: Callable[..., Coroutine[Any, Any, T]] = work
        self.endpoint = endpoint or Endpoint()
        self._signature = inspect.signature(work)
        self._parameters = list(self._signature.parameters.values())[1:]  # without self
        plain = {"self": inspect.Parameter.empty, **get_type_hints(work)}  # without limits
        parameters = self._signature.parameters.values()
        self.__signature__ = self._signature.replace(
            parameters=[one.replace(annotation=plain[one.name]) for one in parameters]
        )

    def __set_name__(self, owner: type[Owner], name: str) -> None:
        """Learn where it is."""
        self.owner, self.path = owner, owner._prefix + self.endpoint.path
        self.name = self.endpoint.name or re.sub("_(.)", lambda found: found[1].upper(), name)
        own = re.findall(r"\{(\w+)\}", self.endpoint.path)
        names = [one.name for one in self._parameters]
        self.placeholders = dict(zip(names[: len(own)], own, strict=True))

    @overload
    def __get__(self, instance: None, owner: type) -> "Control[P, T]": ...
    @overload
    def __get__(self, instance: Blocking, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, instance: object, owner: type) -> Any:
        """Return it as a method."""
        return self if instance is None else MethodType(self, instance)

    def __call__(self, owner: Owner, *args: Any, **kwargs: Any) -> Any:
        """Let its owner carry it out."""
        return owner._carry_out(self, *args, **kwargs)

    def check(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the arguments by parameter, checked. What is for Python only checks its own.

        :raises TypeError: One is missing or unknown.
        :raises pydantic.ValidationError: One has not the form it must have.
        """
        try:
            bound = self._signature.bind(None, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.work.__name__}(): {error}") from None
        bound.apply_defaults()
        given = dict(list(bound.arguments.items())[1:])
        if not self.endpoint.method or self.body is None or self._whole:
            return given
        fields = self.body.model_fields
        values = {one.alias or name: given[name] for name, one in fields.items()}
        return given | self.arguments(self.body.model_validate(values))

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return (self.work.__doc__ or "").partition("\n")[0]

    @cached_property
    def body(self) -> type[BaseModel] | None:
        """Model of the body, or of the query of a GET; None where there is none."""
        ready = self._whole or self.endpoint.body
        if not isinstance(ready, str):
            return ready
        described = dict(_PARAMETER.findall(inspect.getdoc(self.work) or ""))
        fields: dict[str, Any] = {}
        for one in self._parameters:
            text, kind = described.get(one.name), one.annotation
            if one.name not in self.placeholders:
                fields[one.name] = (
                    Annotated[kind, Field(description=" ".join(text.split()))] if text else kind,
                    ... if one.default is one.empty else one.default,
                )
        named = ready or self.name[:1].upper() + self.name[1:]
        if not fields:
            return None
        return create_model(named, __base__=Arguments, __doc__=self.summary, **fields)

    @cached_property
    def _whole(self) -> type[BaseModel] | None:
        """The parameter's type that is the whole body."""
        for one in self._parameters:
            if isinstance(one.annotation, type) and issubclass(one.annotation, BaseModel):
                return one.annotation
        return None

    def arguments(self, body: BaseModel) -> dict[str, Any]:
        """Return what a body holds, by parameter."""
        if self._whole:
            return {self._parameters[-1].name: body}
        return {name: getattr(body, name) for name in type(body).model_fields}

    def arguments_in_path(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what stands in the path, by parameter.

        :raises LookupError: It is no number where one must be, so nothing has it.
        """
        found: dict[str, Any] = {}
        for one in self._parameters[: len(self.placeholders)]:
            placeholder = self.placeholders[one.name]
            text = found[one.name] = str(given[placeholder])
            if one.annotation is int:
                if not text.isdecimal() or not text.isascii() or len(text) > _LONGEST_NUMBER:
                    raise LookupError(f"{placeholder} is a number, as the listing gives it.")
                found[one.name] = int(text)
        return found

    @cached_property
    def result(self) -> "TypeAdapter[Any] | None":
        """What writes the response's body; None where it has none."""
        kind: Any = (self.endpoint.respond_with or self)._signature.return_annotation
        wrap: Any = self.endpoint.wrap
        if wrap is not None:
            kind = list[wrap] if get_origin(kind) is list else wrap
        return None if kind is None else TypeAdapter(kind)

    @property
    def status(self) -> int:
        """HTTP status of success."""
        return self.endpoint.status if self.result else 204

    async def respond(self, owner: Owner, arguments: Mapping[str, Any]) -> Any:
        """Do the work, and return the response's body as values that JSON has."""
        result: Any = await self.work(owner, **arguments)
        if self.endpoint.respond_with is not None:
            return await self.endpoint.respond_with.respond(owner, {})
        if self.endpoint.wrap is not None:
            (name,) = self.endpoint.wrap.model_fields
            several = isinstance(result, list)
            return [{name: one} for one in result] if several else {name: result}
        return self.result.dump_python(result, mode="json") if self.result else None


_PARAMETER = re.compile(r"^:param (\w+): (.*(?:\n +.*)*)", re.MULTILINE)
_LONGEST_NUMBER = 9


@dataclass(frozen=True, slots=True)
class ArgumentsOf:
    """Annotates a field as what a control is passed: ``Annotated[Arguments, ArgumentsOf(…)]``."""

    control: Control[..., Any]

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take the schema of the control's body."""
        return handler.generate_schema(self.control.body)
