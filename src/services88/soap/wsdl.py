"""The WSDL 1.1 document of an agent, generated from its declaration.

One self-contained document with its schemas inside, since code generators download one file.
It equals the vendor's component by component; a test holds it to that.
"""

from collections.abc import Iterator

from lxml import etree
from lxml.builder import ElementMaker

from services88.contract import namespaces as ns
from services88.contract.model import (
    INT,
    STRING,
    Agent,
    ArrayType,
    ComplexType,
    DictionaryType,
    EnumType,
    Field,
    Operation,
    SimpleType,
    Type,
)

__all__ = ["wsdl"]

_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"
_WSAW = "http://www.w3.org/2006/05/addressing/wsdl"
_HTTP_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"

_PREFIXES = {
    ns.XML_SCHEMA: "xs",
    ns.SERVICES88: "tns",
    ns.SERIALIZATION: "ser",
    ns.ARRAYS: "arr",
    ns.CRYPTOGRAPHY: "crypto",
}
_w = ElementMaker(
    namespace=_WSDL,
    nsmap={"wsdl": _WSDL, "soap": _SOAP, "wsaw": _WSAW}
    | {prefix: space for space, prefix in _PREFIXES.items()},
)
_soap = ElementMaker(namespace=_SOAP)
_xs = ElementMaker(namespace=ns.XML_SCHEMA)
_ser = ElementMaker(namespace=ns.SERIALIZATION)

# What every DataContract schema export has in the Serialization namespace.
_SERIALIZATION_ELEMENTS = (
    *("anyType", "anyURI", "base64Binary", "boolean", "byte", "dateTime", "decimal", "double"),
    *("float", "int", "long", "QName", "short", "string"),
    *("unsignedByte", "unsignedInt", "unsignedLong", "unsignedShort"),
)
_SERIALIZATION_TYPES: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("char", "int", ()),
    (
        "duration",
        "duration",
        (
            ("pattern", r"\-?P(\d*D)?(T(\d*H)?(\d*M)?(\d*(\.\d*)?S)?)?"),
            ("minInclusive", "-P10675199DT2H48M5.4775808S"),
            ("maxInclusive", "P10675199DT2H48M5.4775807S"),
        ),
    ),
    (
        "guid",
        "string",
        (("pattern", r"[\da-fA-F]{8}-[\da-fA-F]{4}-[\da-fA-F]{4}-[\da-fA-F]{4}-[\da-fA-F]{12}"),),
    ),
)
_SERIALIZATION_ATTRIBUTES = (("FactoryType", "xs:QName"), ("Id", "xs:ID"), ("Ref", "xs:IDREF"))


def wsdl(agent: Agent, address: str) -> bytes:
    """Write the WSDL of an agent.

    :param address: The URL at which the client reaches the service; it becomes ``soap:address``.
    :returns: The document, UTF-8 with an XML declaration.
    """
    binding_name = f"BasicHttpBinding_{agent.name}"
    root = _w.definitions(
        _w.types(*_schemas(agent)),
        *_messages(agent),
        _w.portType(*map(_port_operation, agent.operations.values()), name=agent.name),
        _w.binding(
            _soap.binding(transport=_HTTP_TRANSPORT),
            *(_bound_operation(agent, operation) for operation in agent.operations.values()),
            name=binding_name,
            type=f"tns:{agent.name}",
        ),
        _w.service(
            _w.port(
                _soap.address(location=address),
                name=binding_name,
                binding=f"tns:{binding_name}",
            ),
            name=agent.service,
        ),
        name=agent.service,
        targetNamespace=ns.SERVICES88,
    )
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


# --- messages, port type, binding -----------------------------------------------------------------


def _messages(agent: Agent) -> Iterator[etree._Element]:
    written: set[str] = set()
    for operation in agent.operations.values():
        for name, element, headers in (
            (f"{operation.name}Request", operation.name, agent.request_headers),
            (operation.response_element, operation.response_element, agent.response_headers),
        ):
            if name in written:  # the Authenticate operations share their answer
                continue
            written.add(name)
            yield _w.message(_w.part(name="parameters", element=f"tns:{element}"), name=name)
            yield _w.message(
                *(_w.part(name=header.name, element=f"tns:{header.name}") for header in headers),
                name=f"{name}_Headers",
            )


def _port_operation(operation: Operation) -> etree._Element:
    action = f"{{{_WSAW}}}Action"
    request, response = f"{operation.name}Request", operation.response_element
    return _w.operation(
        _w.input({action: operation.action, "name": request, "message": f"tns:{request}"}),
        _w.output({action: operation.reply_action, "name": response, "message": f"tns:{response}"}),
        name=operation.name,
    )


def _bound_operation(agent: Agent, operation: Operation) -> etree._Element:
    def headers(message: str, names: list[str]) -> list[etree._Element]:
        return [
            _soap.header(message=f"tns:{message}_Headers", part=name, use="literal")
            for name in names
        ]

    request, response = f"{operation.name}Request", operation.response_element
    return _w.operation(
        _soap.operation(soapAction=operation.action, style="document"),
        _w.input(
            *headers(request, [header.name for header in agent.request_headers]),
            _soap.body(use="literal"),
            name=request,
        ),
        _w.output(
            *headers(response, [header.name for header in agent.response_headers]),
            _soap.body(use="literal"),
            name=response,
        ),
        name=operation.name,
    )


# --- schemas --------------------------------------------------------------------------------------


def _schemas(agent: Agent) -> Iterator[etree._Element]:
    used = _types_of(agent)
    spaces = {used_type.namespace for used_type in used}
    imports = [space for space in (ns.SERIALIZATION, ns.CRYPTOGRAPHY, ns.ARRAYS) if space in spaces]
    if ns.SERIALIZATION not in imports:
        imports.insert(0, ns.SERIALIZATION)

    messages: dict[str, etree._Element] = {}
    for operation in agent.operations.values():
        for name, fields in (
            (operation.name, operation.request),
            (operation.response_element, operation.response),
        ):
            if name not in messages:
                content = _xs.complexType(_sequence(fields))
                messages[name] = _xs.element(content, name=name)
    headers = [_element(header.name, header.type) for header in agent.known_headers]
    yield _schema(
        ns.SERVICES88,
        *(_xs("import", namespace=space) for space in imports),
        *headers,
        *messages.values(),
        *_definitions(used, ns.SERVICES88),
    )
    yield _serialization_schema()
    if ns.CRYPTOGRAPHY in spaces:
        yield _schema(
            ns.CRYPTOGRAPHY,
            _xs("import", namespace=ns.SERIALIZATION),
            *_definitions(used, ns.CRYPTOGRAPHY),
        )
    yield _schema(ns.ARRAYS, *_definitions(used, ns.ARRAYS))


def _schema(target: str, *content: etree._Element, **attributes: str) -> etree._Element:
    return _xs.schema(
        *content, elementFormDefault="qualified", targetNamespace=target, **attributes
    )


def _serialization_schema() -> etree._Element:
    content: list[etree._Element] = [
        _xs.element(name=name, nillable="true", type=f"xs:{name}")
        for name in _SERIALIZATION_ELEMENTS
    ]
    for name, base, facets in _SERIALIZATION_TYPES:
        content.append(_xs.element(name=name, nillable="true", type=f"ser:{name}"))
        restriction = _xs.restriction(
            *(_xs(facet, value=value) for facet, value in facets), base=f"xs:{base}"
        )
        content.append(_xs.simpleType(restriction, name=name))
    content += [_xs.attribute(name=name, type=kind) for name, kind in _SERIALIZATION_ATTRIBUTES]
    return _schema(ns.SERIALIZATION, *content, attributeFormDefault="qualified")


def _types_of(agent: Agent) -> list[Type]:
    """List every declared type that the agent's messages and headers reach."""
    found: dict[tuple[str, str], Type] = {}

    def visit(reached: Type) -> None:
        key = (reached.namespace, reached.name)
        if isinstance(reached, SimpleType) or key in found:
            return
        found[key] = reached
        match reached:
            case ArrayType(item=item):
                visit(item)
            case DictionaryType(value=value):
                visit(value)
            case ComplexType(base=base, own=own):
                if base is not None:
                    visit(base)
                for one in own:
                    visit(one.type)

    for header in agent.known_headers:
        visit(header.type)
    for operation in agent.operations.values():
        for one in (*operation.request, *operation.response):
            visit(one.type)
    for array in (ArrayType(INT), ArrayType(STRING)):  # in every export, used or not
        visit(array)
    return list(found.values())


def _definitions(types: list[Type], namespace: str) -> Iterator[etree._Element]:
    for one in types:
        if one.namespace == namespace:
            yield _definition(one)
            yield _xs.element(name=one.name, nillable="true", type=_qname(one))


def _definition(one: Type) -> etree._Element:
    match one:
        case EnumType():
            return _enumeration(one)
        case ArrayType(item=item):
            element = _element(item.name, item, minOccurs="0", maxOccurs="unbounded")
            return _xs.complexType(_xs.sequence(element), name=one.name)
        case DictionaryType(item_name=item_name, value=value):
            pair = _xs.sequence(_element("Key", STRING), _element("Value", value))
            items = _xs.element(
                _xs.complexType(pair), minOccurs="0", maxOccurs="unbounded", name=item_name
            )
            return _xs.complexType(
                _annotation(_ser.IsDictionary("true")), _xs.sequence(items), name=one.name
            )
        case ComplexType(base=base, own=own):
            content = _sequence(own)
            if base is not None:
                extension = _xs.extension(content, base=_qname(base))
                content = _xs.complexContent(extension, mixed="false")
            mark = [_annotation(_ser.IsValueType("true"))] if one.cls.value_type else []
            return _xs.complexType(*mark, content, name=one.name)
    raise TypeError(one)


def _enumeration(one: EnumType) -> etree._Element:
    def value(member: str, number: int | None) -> etree._Element:
        note = [] if number is None else [_annotation(_ser.EnumerationValue(str(number)))]
        return _xs.enumeration(*note, value=member)

    restriction = _xs.restriction(
        *(value(member.value, member.number) for member in one.cls), base="xs:string"
    )
    if one.flags:
        return _xs.simpleType(_xs.list(_xs.simpleType(restriction)), name=one.name)
    if one.actual is None:
        return _xs.simpleType(restriction, name=one.name)
    actual = _ser.ActualType(Name=one.actual, Namespace=ns.XML_SCHEMA)
    return _xs.simpleType(_annotation(actual), restriction, name=one.name)


def _annotation(content: etree._Element) -> etree._Element:
    return _xs.annotation(_xs.appinfo(content))


def _sequence(fields: tuple[Field, ...]) -> etree._Element:
    return _xs.sequence(
        *(
            _element(one.name, one.type, **({} if one.required else {"minOccurs": "0"}))
            for one in fields
        )
    )


def _element(name: str, of: Type, **attributes: str) -> etree._Element:
    if of.nillable:
        attributes["nillable"] = "true"
    return _xs.element(name=name, type=_qname(of), **attributes)


def _qname(of: Type) -> str:
    return f"{_PREFIXES[of.namespace]}:{of.name}"
