/** Light or dark: as the system has it, until the person says otherwise (kept in this browser). */

import { clear, el } from "../dom.js";
import { icon } from "../icons.js";

const KEY = "local-slack-theme";
const DARK = matchMedia("(prefers-color-scheme: dark)");

export function applyTheme() {
  const chosen = localStorage.getItem(KEY);
  if (chosen) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
}

function isDark() {
  return (document.documentElement.dataset.theme ?? (DARK.matches ? "dark" : "light")) === "dark";
}

export function themeButton() {
  const button = el("button.icon-button.theme-button", { type: "button" });
  const show = () => {
    const label = isDark() ? "Use light colours" : "Use dark colours";
    button.setAttribute("aria-label", label);
    button.title = label;
    clear(button, icon(isDark() ? "sun" : "moon"));
  };
  button.addEventListener("click", () => {
    localStorage.setItem(KEY, isDark() ? "light" : "dark");
    applyTheme();
    show();
  });
  DARK.onchange = show;
  show();
  return button;
}
