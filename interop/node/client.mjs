// A SOAP client of the Node world, told what to do by the tests: one JSON object a line each way.
//
//   node client.mjs soap|strong-soap ADDRESSES
//
// ADDRESSES is JSON: for each agent the WSDL to begin from and, to override what it says, an
// endpoint. A call is {agent, operation, arguments, ticket, application_token}; what comes back is {body, header},
// values being what the client made of them.

import { createInterface } from 'node:readline';

const NAMESPACE = 'http://www.superoffice.net/ws/crm/NetServer/Services88';

async function soapClient({ wsdl, endpoint }) {
  const { createClientAsync } = await import('soap');
  const client = await createClientAsync(wsdl, { endpoint });
  return async ({ operation, arguments: given, ticket, application_token: token }) => {
    client.clearSoapHeaders();
    if (token !== null) {
      client.addSoapHeader({ ApplicationToken: token }, '', 'tns', NAMESPACE);
    }
    if (ticket !== null) {
      client.addSoapHeader({ Credentials: { Ticket: ticket } }, '', 'tns', NAMESPACE);
    }
    const [body, , header] = await client[`${operation}Async`](given);
    return { body, header };
  };
}

async function strongSoapClient({ wsdl, endpoint }) {
  const { soap } = (await import('strong-soap')).default;
  const client = await new Promise((resolve, reject) => {
    soap.createClient(wsdl, {}, (error, made) => (error ? reject(error) : resolve(made)));
  });
  if (endpoint !== null) client.setEndpoint(endpoint);
  const [service] = Object.values(client.wsdl.definitions.services);
  const [port] = Object.values(service.ports);
  return async ({ operation, arguments: given, ticket, application_token: token }) => {
    client.clearSoapHeaders();
    if (token !== null) {
      // Text alone is lost: it looks for XML that nobody gave it.
      client.addSoapHeader({ $value: token }, new soap.QName(NAMESPACE, 'ApplicationToken'));
    }
    if (ticket !== null) {
      const name = new soap.QName(NAMESPACE, 'Credentials');
      client.addSoapHeader({ Ticket: ticket }, name);
    }
    const { result, envelope, soapHeader: header } = await client[operation](given);
    if (result !== undefined) return { body: result, header };
    // It looks for {operation}Response only. Sign-in is answered with AuthenticateResponse in every
    // WSDL of this contract, so its users have to decode that with the client's own XMLHandler.
    const described = port.binding.operations[operation].describe(client.wsdl.definitions);
    const decoded = new soap.XMLHandler(client.wsdl.schemas, {})
      .xmlToJson(client.createNamespaceContext('soap', ''), envelope, described.outputEnvelope);
    const [body] = Object.values(decoded.Body);
    return { body, header };
  };
}

// JSON would hide that an object is no true value: new Boolean(false) is truthy, and printed false.
function mustBePlain(value, where = 'answer') {
  if (value === null || typeof value !== 'object' || value instanceof Date) return;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype
    && Object.getPrototypeOf(value) !== null) {
    throw new TypeError(`${where} is an object of ${value.constructor.name}`);
  }
  for (const [name, held] of Object.entries(value)) mustBePlain(held, `${where}.${name}`);
}

const [, , library, addresses] = process.argv;
const makeClient = { soap: soapClient, 'strong-soap': strongSoapClient }[library];
const clients = {};
for (const [agent, address] of Object.entries(JSON.parse(addresses))) {
  clients[agent] = await makeClient(address);
}
for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  const { body = null, header } = await clients[call.agent](call);
  mustBePlain(body);
  console.log(JSON.stringify({ body, header }));
}
