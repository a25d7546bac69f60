/** The emoji that operators' messages use, by Slack's names. Others stay as `:name:`, which is still readable. */

import { el } from "../dom.js";

const LIST = `
white_check_mark ✅ heavy_check_mark ✔️ ballot_box_with_check ☑️ x ❌ heavy_multiplication_x ✖️ negative_squared_cross_mark ❎
warning ⚠️ rotating_light 🚨 octagonal_sign 🛑 no_entry ⛔ no_entry_sign 🚫 exclamation ❗ grey_exclamation ❕ bangbang ‼️ question ❓ grey_question ❔
information_source ℹ️ red_circle 🔴 large_orange_circle 🟠 large_yellow_circle 🟡 large_green_circle 🟢 large_blue_circle 🔵
large_purple_circle 🟣 white_circle ⚪ black_circle ⚫ red_square 🟥 large_green_square 🟩 large_yellow_square 🟨 large_blue_square 🟦
hourglass ⌛ hourglass_flowing_sand ⏳ stopwatch ⏱️ alarm_clock ⏰ clock1 🕐 clock3 🕒 watch ⌚ calendar 📆 date 📅
arrow_forward ▶️ double_vertical_bar ⏸️ black_square_for_stop ⏹️ arrows_counterclockwise 🔄 arrows_clockwise 🔃 repeat 🔁 recycle ♻️
arrow_up ⬆️ arrow_down ⬇️ arrow_right ➡️ arrow_left ⬅️ arrow_upper_right ↗️ arrow_lower_right ↘️
mag 🔍 mag_right 🔎 wrench 🔧 hammer 🔨 hammer_and_wrench 🛠️ gear ⚙️ broom 🧹 wastebasket 🗑️ fire 🔥 boom 💥 zap ⚡ bulb 💡 bell 🔔 no_bell 🔕
lock 🔒 unlock 🔓 key 🔑 shield 🛡️ link 🔗 pushpin 📌 paperclip 📎 memo 📝 clipboard 📋 scroll 📜 books 📚 book 📖 bookmark 🔖 label 🏷️
file_folder 📁 open_file_folder 📂 page_facing_up 📄 card_index_dividers 🗂️ inbox_tray 📥 outbox_tray 📤 package 📦 mailbox 📫
bar_chart 📊 chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 computer 💻 desktop_computer 🖥️ satellite 📡 electric_plug 🔌
robot_face 🤖 wave 👋 eyes 👀 +1 👍 thumbsup 👍 -1 👎 thumbsdown 👎 pray 🙏 clap 👏 raised_hands 🙌 point_right 👉 point_up ☝️ ok_hand 👌 muscle 💪
tada 🎉 rocket 🚀 sparkles ✨ star ⭐ trophy 🏆 checkered_flag 🏁 construction 🚧 traffic_light 🚥 ambulance 🚑 fire_engine 🚒 ship 🚢 airplane ✈️
smile 😄 slightly_smiling_face 🙂 grin 😁 joy 😂 thinking_face 🤔 sweat_smile 😅 sob 😭 scream 😱 skull 💀 ghost 👻 zzz 💤 sleeping 😴 cry 😢
heart ❤️ green_heart 💚 blue_heart 💙 coffee ☕ beer 🍺 pizza 🍕 snail 🐌 turtle 🐢 bug 🐛 ant 🐜 snake 🐍 whale 🐳 unicorn_face 🦄
speech_balloon 💬 thought_balloon 💭 loudspeaker 📢 mega 📣 busts_in_silhouette 👥 bust_in_silhouette 👤 bath 🛁 seedling 🌱 sunny ☀️ cloud ☁️ snowflake ❄️
`;

const PAIRS = LIST.trim().split(/\s+/);
const BY_NAME = new Map();
for (let at = 0; at < PAIRS.length; at += 2) BY_NAME.set(PAIRS[at], PAIRS[at + 1]);

/** Where an emoji's short name may stand in text. */
export const SHORT_NAME = /:([a-z0-9_+-]+):/;

/** A node for `:name:`, or null when we have no picture for it. */
export function emoji(name) {
  const picture = BY_NAME.get(name);
  return picture
    ? el("span.emoji", { role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` }, picture)
    : null;
}

/** Plain text with its emoji drawn: a list of nodes and strings. */
export function withEmoji(text) {
  const parts = String(text ?? "").split(/(:[a-z0-9_+-]+:)/);
  return parts.map((part, index) => (index % 2 ? (emoji(part.slice(1, -1)) ?? part) : part));
}
