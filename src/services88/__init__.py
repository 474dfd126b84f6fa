"""services88: a server for the SuperOffice NetServer Services88 SOAP contract."""

__version__ = "0.1.0"
