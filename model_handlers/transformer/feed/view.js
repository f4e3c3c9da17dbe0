// What stands in the document, drawn from what is known; nothing here decides anything.

import { paint } from "./picture.js";
import { cause, clock, count, markWords, ms, number, plain } from "./words.js";

export const $ = (id) => document.getElementById(id);

const STAGES = ["intro", "loading", "failed", "empty", "card"];
const ACTIONS = { impression: "Seen", click: "Chosen", watch: "Watched", skip: "Skipped", like: "Liked" };
const STATUSES = { sending: "sending", retrying: "sending again", waiting: "waiting", accepted: "",
  duplicate: "known already", unknown_video: "unknown video", refused: "refused", lost: "lost" };
const SHOWN_EVENTS = 8;

function make(tag, text, ...classes) {
  const element = document.createElement(tag);
  element.textContent = text;
  element.classList.add(...classes);
  return element;
}

/** Shows one of the stage's states alone. */
export function stage(name) {
  for (const one of STAGES) $(one).hidden = one !== name;
  $("stage").setAttribute("aria-busy", String(name === "loading"));
  const there = name === "card";
  $("why").hidden = $("keys").hidden = !there;
}

/** Says something to who listens instead of looking. */
export const say = (text) => ($("live").textContent = text);

/** What a video is called. */
export const titleOf = (video) => video.card?.title || `Video ${video.video_id}`;

function setTitle(element, video) {
  element.textContent = titleOf(video);
  element.lang = video.card?.title ? video.card.language ?? "" : "en";
}

function setMark(element, mark) {
  element.textContent = markWords(mark);
  element.dataset.kind = mark.kind;
}

/** The video of the stage. */
export function card(video, place, places) {
  const tags = video.card?.tags ?? [];
  paint($("card"), video.video_id, tags);
  $("place").textContent = `${place + 1} of ${places}`;
  setMark($("card-mark"), video.mark);
  setTitle($("title"), video);
  $("tags").replaceChildren(...tags.map((tag) => make("li", tag)));
  const known = video.card?.creator_id != null ? [`Creator ${video.card.creator_id}`] : [];
  if (video.card?.language) known.push(languageName(video.card.language));
  $("by").textContent = known.join(" · ");
  $("reason").textContent = video.reason;
  $("sources").replaceChildren(...video.source.map((name) => make("span", plain(name), "chip")));
  if (!video.source.length) $("sources").textContent = "no source";
  $("score").textContent = number(video.score);
  $("propensity").textContent = number(video.propensity);
  $("previous").disabled = place === 0;
  done(video);
}

/** What was done with the video of the stage. */
export function done(video) {
  $("like").setAttribute("aria-pressed", String(Boolean(video.liked)));
  $("like").title = video.liked ? "Liked" : "Like (L)";
  $("card").classList.toggle("gone", Boolean(video.gone));
  $("takedown").textContent = video.gone ? "Bring this video back" : "Take this video down";
}

/** The clock and the button of the player. */
export function film(player) {
  const over = player.at >= player.duration;
  $("bar").style.setProperty("--done", player.at / player.duration);
  const text = `${clock(player.at)} / ${clock(player.duration)}`;
  if ($("clock").textContent !== text) {
    $("clock").textContent = text;
    $("bar").ariaValueMax = Math.round(player.duration);
    $("bar").ariaValueNow = Math.floor(player.at);
    $("bar").ariaValueText = text.replace("/", "of");
  }
  const state = player.playing ? "pause" : over ? "again" : "play";
  if ($("play").dataset.state === state) return;
  $("play").dataset.state = state;
  $("play").setAttribute("aria-label", { pause: "Pause", again: "Watch again", play: "Play" }[state]);
  $("play").querySelector("use").setAttribute("href", `#i-${state}`);
}

/** The page as a list. */
export function list(page, chosen) {
  $("overview").hidden = false;
  $("page-name").textContent = page.name;
  $("list").replaceChildren(...page.videos.map((video, place) => {
    const row = $("row").content.cloneNode(true).firstElementChild;
    const button = row.querySelector("button");
    button.dataset.place = place;
    paint(row.querySelector(".swatch"), video.video_id, video.card?.tags ?? []);
    setTitle(row.querySelector("b"), video);
    row.querySelector(".reason").textContent = video.reason;
    row.querySelector("small").textContent = [
      video.source.map(plain).join(", "), `score ${number(video.score)}`, `propensity ${number(video.propensity)}`,
    ].filter(Boolean).join(" · ");
    setMark(row.querySelector(".mark"), video.mark);
    return row;
  }));
  page.videos.forEach((_, place) => row(page, place, chosen));
}

/** One row of the list: whether it is on the stage, and what was done with it. */
export function row(page, place, chosen) {
  const button = $("list").children[place]?.firstElementChild;
  if (!button) return;
  const video = page.videos[place];
  if (place === chosen) button.setAttribute("aria-current", "true");
  else button.removeAttribute("aria-current");
  button.classList.toggle("gone", Boolean(video.gone));
  const did = [video.gone && "taken down", video.liked && "liked", video.skipped && "skipped",
    !video.skipped && video.watched >= 0.5 && `watched ${clock(video.watched)}`];
  button.querySelector(".did").textContent = did.filter(Boolean).join(", ");
}

/** How the page differs from the one before. */
export function changes(page, shifts) {
  const changed = page.videos.filter((video) => !["same", "first"].includes(video.mark.kind)).length;
  const first = page.videos.every((video) => video.mark.kind === "first");
  $("changed").textContent = first ? "Watch, skip or like some, then turn the page."
    : `${changed} of ${count(page.videos.length, "place")} changed`;
  $("shifts").replaceChildren(...(first ? [] : shifts.slice(0, 6)).map((shift) => {
    const chip = make("li", "", shift.now > shift.before ? "more" : "less");
    chip.append(make("b", shift.tag), ` ${shift.before} → ${shift.now}`);
    return chip;
  }));
  return first ? "" : $("changed").textContent;
}

/** What the next page will be, and how many more actions it will know of. */
export function turned(actions, more) {
  $("next-page").textContent = more ? "Next page" : "New session";
  if (actions) $("next-page").dataset.actions = actions;
  else delete $("next-page").dataset.actions;
}

/** How the page was made. */
export function request(page, browserMs) {
  $("request").hidden = false;
  $("quality").textContent = page.degraded ? "Degraded" : "Complete";
  $("quality").classList.toggle("degraded", page.degraded);
  $("causes").replaceChildren(...page.degraded_by.map((name) => make("li", cause(name))));
  const { total, ...stages } = page.timings_ms;
  const rows = Object.entries(stages);
  if (total !== undefined) rows.push(["total", total]);
  const longest = Math.max(0.001, ...rows.map(([, value]) => value));
  $("timings").tBodies[0].replaceChildren(
    ...rows.map(([name, value]) => bar(plain(name), value, value / longest, name === "total")),
    bar("In the browser", browserMs, null, true),
  );
  $("bundle").textContent = page.bundle || "none";
  $("request-id").textContent = page.request_id;
}

function bar(name, value, share, whole) {
  const line = document.createElement("tr");
  const head = make("th", name);
  head.scope = "row";
  const drawn = document.createElement("td");
  drawn.setAttribute("aria-hidden", "true");
  if (share !== null) {
    const strip = make("i", "");
    strip.style.setProperty("--share", share);
    drawn.append(strip);
  }
  line.classList.toggle("whole", whole);
  line.append(head, drawn, make("td", ms(value), "number"));
  return line;
}

/** One more event, or another status of one that stands there. */
export function event(told, status, title) {
  $("no-events").hidden = true;
  const id = `event-${told.event_id}`;
  let line = $(id);
  if (!line) {
    line = make("li", "");
    line.id = id;
    const seconds = told.watch_seconds === undefined ? "" : ` ${number(told.watch_seconds)} s`;
    const name = make("span", title, "name");
    line.append(make("b", `${ACTIONS[told.kind]}${told.kind === "watch" ? seconds : ""}`), name, make("small", ""));
    $("events").prepend(line);
    while ($("events").children.length > SHOWN_EVENTS) $("events").lastElementChild.remove();
  }
  line.dataset.status = status;
  line.querySelector("small").textContent = STATUSES[status] ?? plain(status);
}

/** A line on top of the page with one thing to do about it; without text it goes away. */
export function notice(about = "", text = "", action = "", act = null) {
  const [words, button] = $("notice").children;
  $("notice").dataset.about = about;
  $("notice").hidden = !text;
  words.textContent = text;
  button.textContent = action;
  button.hidden = !action;
  button.onclick = act;
}

function languageName(code) {
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(code);
  } catch {
    return code;
  }
}
