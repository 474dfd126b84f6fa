// The live page of the sandbox: exchanges as they come, and the state they lead to.
import { showXml } from "./xml.js";

const part = document.getElementById("inspector");
const get = (name) => part.querySelector(`[data-${name}]`);
const byId = (id) => document.getElementById(id);
const MOST = 500;
const KINDS = { succeeded: "good", refused: "warn", fault: "bad", http: "bad", broken: "bad" };

let exchanges = [];
let clearings = 0;
let chosen = null;
let frozen = false;
let source = null;

const element = (name, text, kind = "") => {
  const one = document.createElement(name);
  one.textContent = text;
  if (kind) one.className = kind;
  return one;
};
const at = (milliseconds) => new Date(milliseconds).toISOString().slice(11, 23);
const moment = (text) => (text ? text.slice(0, 19).replace("T", " ") : "");
const tenant = () => byId("tenant").value;
const api = (path) => `/__sandbox/tenants/${encodeURIComponent(tenant())}/${path}`;
// A server that is gone is told of by the stream of events, which also finds it again.
const GONE = { ok: false, json: async () => ({ error: "The sandbox does not answer.", remedy: "" }) };
const send = (method, path, body) => fetch(api(path), {
  method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body),
}).catch(() => GONE);
const ask = async (path) => {
  try {
    const answer = await fetch(api(path));
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
};

// --- the list -----------------------------------------------------------------------------------

const fits = (one) => {
  const outcome = byId("outcome").value;
  const words = byId("text").value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = [one.operation, one.user, one.reason, one.path, one.fault].join(" ").toLowerCase();
  return (!outcome || one.outcome === outcome) && words.every((word) => text.includes(word));
};

const row = (one) => {
  const item = byId("row").content.firstElementChild.cloneNode(true);
  const put = (name, text) => { item.querySelector(`[data-${name}]`).textContent = text; };
  put("time", at(one.at));
  put("operation", one.operation ?? `${one.method} ${one.path}`);
  put("outcome", one.fault ? `${one.outcome} (${one.fault})` : one.outcome);
  put("user", one.user ?? "");
  put("took", `${one.duration_ms.toFixed(1)} ms`);
  item.querySelector("[data-outcome]").classList.add(KINDS[one.outcome]);
  const button = item.firstElementChild;
  button.dataset.id = one.id;
  button.addEventListener("click", () => choose(one));
  return item;
};

const mark = () => {
  for (const button of get("exchanges").querySelectorAll("button")) {
    if (chosen && button.dataset.id === String(chosen.id)) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
};

const list = () => {
  const shown = exchanges.filter(fits);
  get("exchanges").replaceChildren(...shown.map(row).reverse());
  get("empty").hidden = shown.length > 0;
  mark();
};

// --- one exchange -------------------------------------------------------------------------------

const url = (one) => new URL(one.path, location.href).href;
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const sentHeaders = (one) => one.request_headers.filter(([name]) =>
  ["content-type", "soapaction", "accept"].includes(name.toLowerCase()));

// The journal has no secrets: whoever runs the copy puts them in.
const MASKED = "***";
const missing = (one) => (one.request + one.path).includes(MASKED)
  ? `# Put the secrets in place of ${MASKED}: the journal does not keep them.\n` : "";

const asCurl = (one) => missing(one) + [
  `curl -s -X ${one.method} ${quoted(url(one))}`,
  ...sentHeaders(one).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
  ...(one.request ? [`--data-raw ${quoted(one.request)}`] : []),
].join(" \\\n  ");

const python = (value) => JSON.stringify(value);
const asPytest = (one) => {
  const name = (one.operation ?? one.method).replace(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase();
  const headers = sentHeaders(one).map(([key, value]) => `${python(key)}: ${python(value)}`).join(", ");
  const call = `httpx.request(\n        ${python(one.method)},\n        ${python(url(one))},\n        headers={${headers}},\n        content=${python(one.request)},\n    )`;
  if (!one.status) {
    return missing(one) + `import httpx\nimport pytest\n\n\ndef test_${name}() -> None:\n    with pytest.raises(httpx.TransportError):\n        ${call.replaceAll("\n", "\n    ")}\n`;
  }
  const refused = one.outcome === "refused" && one.exception_type;
  const answered = one.operation && one.outcome !== "fault" && one.outcome !== "http";
  const succeeded = answered ? `    assert ${python(`Succeeded>${!refused}<`)} in answer.text\n` : "";
  return missing(one) + `import httpx\n\n\ndef test_${name}() -> None:\n    answer = ${call}\n    assert answer.status_code == ${one.status}\n${succeeded}`;
};

const copy = async (text) => {
  await navigator.clipboard.writeText(text);
  get("copied").textContent = get("copied").dataset.text;
  setTimeout(() => { get("copied").textContent = ""; }, 2000);
};

const raw = (headers, body) => headers.map(([name, value]) => `${name}: ${value}`).join("\n") + `\n\n${body}`;

const table = (values) => {
  const facts = element("dl", "", "facts");
  for (const [name, value] of Object.entries(values)) {
    facts.append(element("dt", name), element("dd", typeof value === "string" ? value : JSON.stringify(value)));
  }
  return facts;
};

const note = (kind, ...texts) => {
  const box = element("div", "", `note ${kind}`);
  box.append(...texts.filter(Boolean).map((text) => element("p", text)));
  return box;
};

function choose(one) {
  chosen = one;
  mark();
  get("title").textContent = one.operation ?? `${one.method} ${one.path}`;
  get("copies").hidden = !navigator.clipboard;
  get("meta").textContent = [
    `#${one.id}`, one.agent, one.user, `${one.method} ${one.path}`, one.status ? `HTTP ${one.status}` : "no answer",
    `${one.duration_ms.toFixed(1)} ms`, one.client,
  ].filter(Boolean).join(" · ");
  get("why").replaceChildren(...(one.reason ? [note(KINDS[one.outcome], one.reason, one.exception_type)] : []));
  get("misses").replaceChildren(...one.near_misses.map((miss) => {
    const item = element("li", miss.message);
    item.dataset.accepted = miss.accepted;
    return item;
  }));
  const parsed = Object.keys(one.arguments ?? {}).length;
  get("parsed").replaceChildren(...(parsed ? [table(one.arguments)] : []));
  get("messages").hidden = !one.request && !one.response;
  showXml(get("request"), one.request);
  showXml(get("response"), one.response);
  get("raw").hidden = false;
  get("rawtext").textContent =
    `${one.method} ${one.path}\n${raw(one.request_headers, one.request)}\n\n${one.status ?? "no answer"}\n${raw(one.response_headers, one.response)}`;
}

// --- users, clock, faults -----------------------------------------------------------------------

const userState = (user) => (user.retired ? ["retired", ""] : user.disabled ? ["disabled", "bad"]
  : user.has_password ? ["active", "good"] : ["no password", "warn"]);

let going = null;
const tick = () => {
  if (!going) return;
  const passed = (performance.now() - going.since) * going.speed;
  get("now").textContent = `${moment(new Date(going.at + passed).toISOString())} UTC`;
};

const userRow = (user) => {
  const line = element("tr", "");
  const name = element("th", user.name);
  name.scope = "row";
  const held = element("td", "");
  const [text, kind] = userState(user);
  held.append(element("span", text, `badge ${kind}`));
  line.append(name, held, element("td", user.failures || ""), element("td", user.tickets || ""),
    element("td", moment(user.last_sign_in), "numbers"));
  return line;
};

const faultRow = (fault) => {
  const item = element("li", "");
  const kinds = fault.rule.effects.map((effect) => effect.kind).join(", ");
  item.append(element("code", fault.rule.operation ?? "*"), ` ${kinds} `,
    element("span", fault.spent ? "spent" : `seen ${fault.seen}`, "badge"));
  const remove = element("button", "✕", "tiny");
  remove.type = "button";
  remove.dataset.remove = fault.id;
  remove.setAttribute("aria-label", `Remove the fault ${fault.id}`);
  remove.addEventListener("click", async () => {
    await send("DELETE", `faults/${fault.id}`);
    await refresh();
    (get("remove") ?? byId("fault-operation")).focus();  // the button that had it is gone
  });
  item.append(remove);
  return item;
};

// What is as it was stays in the page: who reads, selects or is about to press it is not disturbed.
const shown = {};
const show = (name, all, line) => {
  const now = JSON.stringify(all);
  if (shown[name] === now) return;
  shown[name] = now;
  const focused = document.activeElement?.dataset.remove;
  get(name).replaceChildren(...all.map(line));
  if (focused) get(name).querySelector(`[data-remove="${focused}"]`)?.focus();
};

const showState = (state) => {
  show("users", state.users, userRow);
  frozen = state.clock.frozen;
  going = { at: Date.parse(state.clock.now), since: performance.now(), speed: state.clock.speed };
  tick();
  const speed = get("speed").dataset;
  get("speed").textContent = frozen ? speed.frozenText : state.clock.speed === 1 ? "" : speed.runsText.replace("{n}", state.clock.speed);
  get("freeze").textContent = frozen ? get("freeze").dataset.go : get("freeze").dataset.stop;
  get("no-faults").hidden = state.faults.length > 0;
  show("faults", state.faults, faultRow);
};

const refresh = async () => {
  const of = tenant();
  const [users, clock, faults] = await Promise.all(["users", "clock", "faults"].map(ask));
  if (users && clock && faults && of === tenant()) showState({ users, clock, faults });
};

let waiting = 0;
const soon = () => { clearTimeout(waiting); waiting = setTimeout(refresh, 250); };

// A test that drives the admin API changes users, clock and faults without a call of a service.
const OFTEN = 2000;
const look = () => { if (!document.hidden && source?.readyState === EventSource.OPEN) refresh(); };

const connect = () => {
  source?.close();
  source = new EventSource(`/__sandbox/events?tenant=${encodeURIComponent(tenant())}`);
  const live = get("live");
  const own = source;  // another tenant may be chosen while an answer is awaited
  source.addEventListener("open", async () => {
    live.textContent = live.dataset.on;
    exchanges = [];  // the server may be another one than before, which counts from 1 again
    let kept, before;
    do {  // what was read before the journal was cleared is not there any more
      before = clearings;
      kept = await ask(`journal?limit=${MOST}`);  // after connecting, so that none is missed
      if (source !== own) return;
    } while (before !== clearings);
    const known = new Map(exchanges.map((one) => [one.id, one]));
    for (const one of kept ?? []) known.set(one.id, one);
    exchanges = [...known.values()].sort((a, b) => a.id - b.id).slice(-MOST);
    list();
    refresh();
  });
  source.addEventListener("error", () => { live.textContent = live.dataset.off; });
  source.addEventListener("cleared", () => { clearings += 1; exchanges = []; list(); });
  source.addEventListener("exchange", ({ data }) => {
    const one = JSON.parse(data);
    if (exchanges.some((other) => other.id === one.id)) return;
    exchanges = [...exchanges, one].slice(-MOST);
    if (fits(one)) {
      const rows = get("exchanges");
      rows.prepend(row(one));
      while (rows.childElementCount > MOST) rows.lastElementChild.remove();
      get("empty").hidden = true;
    }
    soon();
  });
};

if (part) {
  part.hidden = false;
  byId("text").addEventListener("input", list);
  byId("outcome").addEventListener("change", list);
  byId("tenant").addEventListener("change", () => { exchanges = []; chosen = null; list(); connect(); });
  get("filter").addEventListener("submit", (event) => event.preventDefault());
  get("clear").addEventListener("click", async () => { await send("DELETE", "journal"); });
  get("curl").addEventListener("click", () => copy(asCurl(chosen)));
  get("pytest").addEventListener("click", () => copy(asPytest(chosen)));
  get("freeze").addEventListener("click", async () => { await send("PATCH", "clock", { frozen: !frozen }); refresh(); });
  for (const button of part.querySelectorAll("[data-clock]")) {
    button.addEventListener("click", async () => { await send("PATCH", "clock", JSON.parse(button.dataset.clock)); refresh(); });
  }
  get("fault").addEventListener("submit", async (event) => {
    event.preventDefault();
    const kind = byId("fault-kind").value;
    const effect = kind === "delay" ? { kind, seconds: 2 } : { kind };
    const rule = { effects: [effect], times: Number(byId("fault-times").value) || 1 };
    if (byId("fault-operation").value) rule.operation = byId("fault-operation").value;
    const answer = await send("POST", "faults", rule);
    const said = answer.ok ? null : await answer.json();
    get("fault-said").textContent = said ? `${said.error} ${said.remedy}` : "";
    refresh();
  });
  setInterval(tick, 250);
  setInterval(look, OFTEN);
  document.addEventListener("visibilitychange", look);
  connect();
}
