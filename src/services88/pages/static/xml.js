// Shows XML indented and coloured, built of text nodes only: nothing received becomes markup.
//
// Not by DOMParser: of what is no XML it makes a document with inline styles, which the content
// policy of the page rightly reports; and a message that is cut off is shown as far as it goes.
const span = (kind, text) => {
  const one = document.createElement("span");
  one.className = kind;
  one.textContent = text;
  return one;
};

const TOKENS = /<!--[^]*?-->|<!\[CDATA\[[^]*?\]\]>|<(?:"[^"]*"|'[^']*'|[^>"'])*>?|[^<]+/g;
const ATTRIBUTES = /(\s+)([^\s=/>]+)(?:(\s*=\s*)("[^"]*"|'[^']*'))?/g;

const tag = (text, out) => {
  const [name] = /^<\/?[^\s/>]*/.exec(text);
  out.append(span("x-tag", name));
  let end = name.length;
  for (const found of text.slice(end).matchAll(ATTRIBUTES)) {
    out.append(" ", span("x-name", found[2]));
    if (found[4]) out.append("=", span("x-value", found[4]));
    end = name.length + found.index + found[0].length;
  }
  out.append(span("x-tag", text.slice(end).trim()));
};

/** Show a document in an element; what is no XML as it is. */
export const showXml = (element, text) => {
  element.replaceChildren();
  if (!text.trimStart().startsWith("<")) {
    element.textContent = text;
    return;
  }
  let depth = 0;
  let leaf = true; // nothing but text since the last tag that began an element
  for (const [token] of text.matchAll(TOKENS)) {
    if (token.startsWith("<?xml")) continue;
    if (!token.startsWith("<") || token.startsWith("<![CDATA[")) {
      if (token.trim()) element.append(token);
      continue;
    }
    const ends = token.startsWith("</");
    if (ends) depth = Math.max(0, depth - 1);
    if (!(ends && leaf) && element.hasChildNodes()) element.append("\n" + "  ".repeat(depth));
    if (token.startsWith("<!--")) element.append(token);
    else tag(token, element);
    leaf = !ends && !token.endsWith("/>") && !token.startsWith("<!");
    if (leaf) depth += 1;
  }
};
