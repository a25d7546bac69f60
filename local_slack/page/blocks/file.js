/** Files as cards that can be downloaded, and videos as cards that lead to them. */

import { el } from "../dom.js";
import { icon } from "../icons.js";
import { link } from "../text/links.js";
import { plain } from "../text/text_object.js";

const UNITS = ["bytes", "kB", "MB", "GB"];

/** 1,234,567 bytes as "1.2 MB". */
export function readableSize(bytes) {
  if (!Number.isFinite(bytes)) return "size unknown";
  const power = Math.min(UNITS.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power && bytes / 1000 ** power < 10 ? 1 : 0)} ${UNITS[power]}`;
}

/** A file of a message: `{id, name, title, size, mimetype, url}`. */
export function fileCard(file) {
  const picture =
    file.mimetype?.startsWith("image/") &&
    safe(file.url) &&
    el("img.file-picture", { src: file.url, alt: file.title ?? file.name });
  const kind = file.name?.includes(".") ? file.name.split(".").at(-1).toUpperCase() : (file.mimetype ?? "file");
  const words = el(
    "span.file-words",
    {},
    el("span.file-name", {}, file.title || file.name),
    el("span.file-facts", {}, `${kind} · ${readableSize(file.size)}`),
  );
  const target = safe(file.url) ? { href: file.url, download: file.name, "aria-label": `Download ${file.name}` } : {};
  return el(
    "div.file",
    {},
    picture,
    el(
      `${target.href ? "a" : "div"}.file-card`,
      target,
      el("span.file-icon", {}, icon("file", { size: 22 })),
      words,
      target.href && el("span.file-get", {}, icon("download")),
    ),
  );
}

function safe(url) {
  return typeof url === "string" && /^(https?:\/\/|\/)/i.test(url);
}

export function file(block) {
  return fileCard({ name: block.external_id, title: block.external_id, mimetype: `${block.source} file` });
}

export function video(block) {
  const title = plain(block.title);
  const words = [
    block.description && el("div.card-body", {}, plain(block.description)),
    block.provider_name && el("div.card-subtext", {}, block.provider_name),
  ];
  return el("div.card", {}, el("div.card-title", {}, link(block.title_url ?? block.video_url, title)), words);
}
