/**
 * Building DOM nodes. Text from outside only ever becomes a text node or an attribute's value here; the page
 * never parses HTML, so nothing that a message says can become markup.
 */

const SVG = "http://www.w3.org/2000/svg";

/** An element from `tag.class.class`, with properties and children (nodes, strings, nested arrays, or nothing). */
export function el(selector, properties = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const node = document.createElement(tag || "div");
  node.classList.add(...classes);
  setProperties(node, properties);
  append(node, children);
  return node;
}

/** The same for SVG, where everything is an attribute. */
export function svg(selector, attributes = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const node = document.createElementNS(SVG, tag);
  node.classList.add(...classes);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value);
  }
  append(node, children);
  return node;
}

export function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

export function fragment(...children) {
  return append(document.createDocumentFragment(), children);
}

export function clear(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

/** Put exactly these nodes in `parent`, moving only those out of place, so that what stays keeps its scroll and focus. */
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (parent.childNodes[index] !== node) parent.insertBefore(node, parent.childNodes[index] ?? null);
  });
}

let lastId = 0;

/** An id that no other node has, for `aria-labelledby` and friends. */
export function freshId(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

function setProperties(node, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, css] of Object.entries(value)) node.style.setProperty(key, css);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name in node && !name.startsWith("aria") && name !== "role" && name !== "list") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
}
