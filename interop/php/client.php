<?php
// PHP's own SOAP client, told what to do by one JSON object a line: see interop/lines.py.

const SPACE = 'http://www.superoffice.net/ws/crm/NetServer/Services88';

$clients = [];
foreach (json_decode($argv[1], true, 512, JSON_THROW_ON_ERROR) as $agent => $address) {
    $options = ['cache_wsdl' => WSDL_CACHE_NONE, 'exceptions' => true];
    if ($address['endpoint'] !== null) {
        $options['location'] = $address['endpoint'];
    }
    $clients[$agent] = new SoapClient($address['wsdl'], $options);
}
while (($line = fgets(STDIN)) !== false) {
    $call = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
    $headers = [];
    if ($call['application_token'] !== null) {
        $headers[] = new SoapHeader(SPACE, 'ApplicationToken', $call['application_token']);
    }
    if ($call['ticket'] !== null) {
        $headers[] = new SoapHeader(SPACE, 'Credentials', ['Ticket' => $call['ticket']]);
    }
    $body = $clients[$call['agent']]->__soapCall(
        $call['operation'], [$call['arguments']], null, $headers ?: null, $header
    );
    echo json_encode(['body' => $body, 'header' => $header], JSON_THROW_ON_ERROR), "\n";
}
