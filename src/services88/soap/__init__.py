"""From the contract to bytes and back: envelopes, codec, faults, WSDL. Knows no HTTP routes."""
