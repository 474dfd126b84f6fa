"""Real SOAP clients of several languages, unmodified, from the vendor's WSDL and from ours.

`make interop` plays the same story with each (``story.py``); ``stacks.py`` lists them.
"""
