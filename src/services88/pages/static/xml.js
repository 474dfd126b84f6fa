// Shows XML indented and coloured, built of text nodes only: nothing received becomes markup.
const span = (kind, text) => {
  const one = document.createElement("span");
  one.className = kind;
  one.textContent = text;
  return one;
};

const write = (node, depth, out) => {
  const indent = "\n" + "  ".repeat(depth);
  const parts = [...node.childNodes].filter((one) => one.nodeType === 1 || one.nodeValue?.trim());
  out.append(depth ? indent : "", span("x-tag", "<" + node.nodeName));
  for (const { name, value } of node.attributes) {
    out.append(" ", span("x-name", name), "=", span("x-value", `"${value}"`));
  }
  if (!parts.length) {
    out.append(span("x-tag", "/>"));
    return;
  }
  out.append(span("x-tag", ">"));
  let inside = false;
  for (const part of parts) {
    if (part.nodeType === 1) {
      write(part, depth + 1, out);
      inside = true;
    } else out.append(part.nodeValue);
  }
  out.append(inside ? indent : "", span("x-tag", `</${node.nodeName}>`));
};

/** Show a document in an element; as it is where it is not XML. */
export const showXml = (element, text) => {
  element.replaceChildren();
  const read = new DOMParser().parseFromString(text, "text/xml");
  if (read.querySelector("parsererror")) element.textContent = text;
  else write(read.documentElement, 0, element);
};
