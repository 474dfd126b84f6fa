// The same operation with npm's soap, from our WSDL: no ticket is looked at.
//
//   node soap_echo.js PORT WSDL-FILE

const fs = require('node:fs');
const http = require('node:http');
const soap = require('soap');

const [port, file] = process.argv.slice(2);
const wsdl = fs.readFileSync(file, 'utf8');
const answer = ({ AssociateId: number }) => ({ Response: Number(number) > 0 });
const server = http.createServer((_, response) => response.writeHead(404).end());
server.keepAliveTimeout = 60_000;
server.listen(Number(port), '127.0.0.1', () => {
  const services = {};
  // The names of service and port are the WSDL's.
  const described = new soap.WSDL(wsdl, 'http://localhost/', {});
  described.onReady(() => {
    for (const [service, { ports }] of Object.entries(described.definitions.services)) {
      services[service] = {};
      for (const name of Object.keys(ports)) {
        services[service][name] = { CanChangePassword: answer };
      }
    }
    soap.listen(server, '/User.svc', services, wsdl);
  });
});
