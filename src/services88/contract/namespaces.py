"""The namespaces of the contract, each named once."""

SERVICES88 = "http://www.superoffice.net/ws/crm/NetServer/Services88"
"""Every operation, carrier and header of both agents lives here."""

ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
"""DataContract lists of primitive values (``ArrayOfstring``, ``ArrayOfint``)."""

SERIALIZATION = "http://schemas.microsoft.com/2003/10/Serialization/"
"""DataContract primitives and the annotations that exporters leave in a schema."""

CRYPTOGRAPHY = "http://schemas.datacontract.org/2004/07/System.Security.Cryptography"
"""The one .NET framework type the contract carries (``DSAParameters``)."""

XML_SCHEMA = "http://www.w3.org/2001/XMLSchema"
XML_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
