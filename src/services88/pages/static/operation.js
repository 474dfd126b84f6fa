// Copying examples, and in the sandbox making the call that the page describes.
import { showXml } from "./xml.js";

const CONTRACT = "http://www.superoffice.net/ws/crm/NetServer/Services88";
const SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
const KEPT = "services88-ticket";

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.parentElement.querySelector("pre").innerText);
    const told = button.parentElement.querySelector("[data-told]");
    told.textContent = told.dataset.text;
    setTimeout(() => { told.textContent = ""; }, 2000);
  });
}

const part = document.querySelector("[data-try]");
if (part) {
  const signing = part.querySelector("[data-signing]");
  const call = part.querySelector("[data-call]");
  const message = part.querySelector("#try-message");
  const state = part.querySelector("[data-ticket]");
  const example = message.value;

  const post = (service, body) =>
    fetch(service, { method: "POST", headers: { "Content-Type": "text/xml; charset=utf-8" }, body })
      .catch(() => null); // no answer: the server is gone, or a fault of the sandbox broke the call

  // Not by DOMParser, for the reason in xml.js: an answer may be no XML, and so may what is typed.
  const found = (text, name) => new RegExp(`<((?:[\\w.-]+:)?${name})(?:\\s[^>]*)?>([^<]*)</\\1\\s*>`).exec(text)?.[2];
  const ENTITIES = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
  const plain = (text) => text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    const code = hex ? parseInt(hex, 16) : Number(decimal);
    return name ? ENTITIES[name] ?? whole : code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const element = (name) => new RegExp(`(<${name}>)([^<]*)(</${name}>)`);
  const put = (name, text) => {
    message.value = message.value.replace(element(name), (_, open, old, close) => open + escaped(text) + close);
  };
  const withTicket = (ticket) => { if (ticket) put("Ticket", ticket); };

  // The parameters that are one value have a field each; it writes into the message.
  const parameters = [...part.querySelectorAll("[data-parameter]")];
  const fill = () => {
    for (const field of parameters) {
      const text = found(message.value, field.dataset.parameter);
      if (text !== undefined) field.value = plain(text);
    }
  };
  for (const field of parameters) {
    field.addEventListener("input", () => put(field.dataset.parameter, field.value));
  }
  message.addEventListener("change", fill);
  fill();

  const tell = (text) => { if (state) { state.hidden = false; state.textContent = text; } };

  const showTicket = () => {
    const ticket = sessionStorage.getItem(KEPT);
    tell(ticket ? `${state?.dataset.have} ${ticket.slice(0, 18)}…` : state?.dataset.none);
    withTicket(ticket);
  };

  call.hidden = false;
  if (signing) {
    signing.hidden = false;
    showTicket();
    signing.addEventListener("submit", async (event) => {
      event.preventDefault();
      const envelope = document.implementation.createDocument(SOAP, "s:Envelope");
      const body = envelope.documentElement.appendChild(envelope.createElementNS(SOAP, "s:Body"));
      const inner = body.appendChild(envelope.createElementNS(CONTRACT, "AuthenticateUsernamePassword"));
      for (const [name, field] of [["UserName", "name"], ["Password", "password"]]) {
        inner.appendChild(envelope.createElementNS(CONTRACT, name)).textContent = signing.elements[field].value;
      }
      const answer = await post(part.dataset.signIn, new XMLSerializer().serializeToString(envelope));
      const text = await answer?.text().catch(() => "") ?? "";
      const ticket = found(text, "Ticket");
      if (ticket) {
        sessionStorage.setItem(KEPT, ticket);
        signing.elements.password.value = "";
        showTicket();
      } else if (found(text, "AuthenticationSucceeded") === "false") {
        sessionStorage.removeItem(KEPT);
        tell(state.dataset.refused);
      } else {
        tell(`${state.dataset.failed} ${answer ? `HTTP ${answer.status}` : part.dataset.gone}`);
      }
    });
  }

  part.querySelector("[data-reset]").addEventListener("click", () => {
    message.value = example;
    withTicket(sessionStorage.getItem(KEPT));
    fill();
  });

  call.addEventListener("submit", async (event) => {
    event.preventDefault();
    const sent = message.value;
    const begun = performance.now();
    const answer = await post(part.dataset.service, sent);
    const text = await answer?.text().catch(() => null) ?? null; // it may be cut off
    const taken = (performance.now() - begun).toFixed(1);
    const status = [answer && `HTTP ${answer.status}`, text === null && part.dataset.gone];
    part.querySelector("[data-answer]").hidden = false;
    part.querySelector("[data-status]").textContent = [...status, `${taken} ms`].filter(Boolean).join(", ");
    showXml(part.querySelector("[data-sent]"), sent);
    showXml(part.querySelector("[data-received]"), text ?? "");
  });
}
