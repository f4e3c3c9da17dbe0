// The feed: whose it is, which page and video are shown, and what the viewer does with them.

import { Api, Failure, uuid } from "./api.js";
import { marks, shifts } from "./marks.js";
import { Outbox } from "./outbox.js";
import { Player } from "./player.js";
import { $, card, changes, done, event, film, list, notice, request, row, say, stage, titleOf, turned } from "./view.js";
import { count, trouble } from "./words.js";

const PAGE_SIZE = 10;
const SMALLEST_WATCH = 0.5;
const ID = /^-?\d{1,19}$/;
const LARGEST_ID = 2n ** 63n;

const still = matchMedia("(prefers-reduced-motion: reduce)");
const api = new Api();
const outbox = new Outbox((events, last) => api.report(events, last),
  (told, status) => event(told, status, titles.get(told.video_id) ?? ""), stuck);
const player = new Player(() => film(player), ended, still);
const titles = new Map();

const feed = { user: "", fresh: false, again: false, session: "", page: null, number: 0, place: 0, actions: 0 };
let asking = null; // the request for a page that is under way
let visible = false; // whether at least half of the card is seen

const current = () => feed.page?.videos[feed.place];

// Pages

async function open(user, fresh, again = false) {
  report();
  Object.assign(feed, { user, fresh, again, session: uuid(), page: null, number: 0, actions: 0 });
  $("user").value = user;
  history.replaceState(null, "", `?viewer=${user}`);
  $("overview").hidden = $("request").hidden = true;
  await turn(0);
}

async function turn(wanted) {
  report();
  asking?.abort();
  const mine = (asking = new AbortController());
  player.pause();
  if ($("notice").dataset.about === "titles") notice();
  stage("loading");
  try {
    // What was done must count for the page that comes.
    await outbox.settled(2000);
    const began = performance.now();
    const repeats = $("repeats").checked;
    const page = await api.page({
      user_id: feed.user, page_size: PAGE_SIZE, context: context(), ...(feed.again ? { again: true } : {}),
      // Without a name it would be one more session that repeats nothing.
      ...(repeats ? { page: 0, session_id: uuid() } : { page: wanted, session_id: feed.session }),
    }, mine.signal);
    const took = performance.now() - began;
    const known = await api.videos(page.videos.map((video) => video.video_id), mine.signal)
      .catch((failure) => {
        if (mine.signal.aborted) throw failure;
        notice("titles", "The titles of this page could not be loaded; its ids are shown instead.");
        return new Map();
      });
    if (mine.signal.aborted) return;
    show(page, known, took);
  } catch (failure) {
    if (mine.signal.aborted) return;
    fail(failure instanceof Failure ? failure : new Failure("foreign", String(failure)), wanted);
  }
}

function show(page, known, took) {
  const before = feed.page;
  const [then, now] = [before?.videos, page.videos].map((videos) => videos?.map((video) => video.video_id));
  const found = marks(then ?? null, now);
  page.videos.forEach((video, place) => {
    video.card = known.get(video.video_id);
    video.mark = found[place];
    titles.set(video.video_id, titleOf(video));
  });
  feed.number += 1;
  Object.assign(feed, { page, place: 0, actions: 0 });
  page.name = `Page ${feed.number}`;
  request(page, took);
  if (!now.length) {
    $("overview").hidden = true;
    stage("empty");
    say("Nothing is left for this viewer. Start a new session, or let seen videos come back.");
    return;
  }
  const tags = (videos) => videos.map((video) => video.card?.tags ?? []);
  list(page, 0);
  const changed = changes(page, before ? shifts(tags(before.videos), tags(page.videos)) : []);
  turned(0, more());
  const quality = page.degraded ? "Degraded." : "";
  say([`${page.name}: ${count(now.length, "video")}.`, changed && `${changed}.`, quality].filter(Boolean).join(" "));
  stage("card");
  choose(0, feed.number > 1 && $("autoplay").checked);
  $("stage").focus({ preventScroll: true });
}

function fail(failure, wanted) {
  const [title, advice] = trouble(failure);
  const [heading, text] = $("failed").children;
  heading.textContent = title;
  text.textContent = advice;
  $("failed").querySelector("button").onclick = () => turn(wanted);
  stage("failed");
}

const more = () => $("repeats").checked || feed.page?.next_page != null;

function nextPage() {
  if (!feed.page || !$("loading").hidden) return;
  if (more()) turn(feed.page.next_page ?? 0);
  else open(feed.user, feed.fresh, feed.again);
}

/** What is known of the situation, in the names of the dataset's context. */
function context() {
  const now = new Date();
  const hour = now.getHours() + now.getMinutes() / 60;
  const day = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"][now.getDay()];
  return {
    hour_sin: Math.sin((2 * Math.PI * hour) / 24), hour_cos: Math.cos((2 * Math.PI * hour) / 24),
    [["night", "morning", "afternoon", "evening"][Math.floor(hour / 6)]]: 1, [day]: 1, web: 1,
    ...(now.getDay() % 6 ? {} : { weekend: 1 }),
    ...(feed.page ? {} : { first_of_session: 1 }),
    ...(feed.fresh ? { new_user: 1 } : {}),
  };
}

// Videos

function choose(place, play) {
  const left = feed.place;
  feed.place = place;
  const video = current();
  card(video, place, feed.page.videos.length);
  player.load(video.card?.duration_seconds);
  row(feed.page, left, place);
  row(feed.page, place, place);
  if (!still.matches) $("card").animate({ opacity: [0.4, 1] }, { duration: 180, easing: "ease-out" });
  seen();
  if (play) player.play();
}

function go(step) {
  if (!feed.page || $("card").hidden) return;
  const place = feed.place + step;
  if (place < 0) return;
  report();
  if (place >= feed.page.videos.length) {
    nextPage();
    return;
  }
  choose(place, $("autoplay").checked);
  say(`${place + 1} of ${feed.page.videos.length}: ${titleOf(current())}`);
}

function toggle() {
  if ($("card").hidden) return;
  if (player.playing) {
    player.pause();
    return;
  }
  chosen(current());
  player.play();
}

function ended() {
  report();
  say(`Watched to the end: ${titleOf(current())}`);
}

function like() {
  const video = current();
  if ($("card").hidden || video.liked) return;
  video.liked = true;
  act("like");
  done(video);
  say(`Liked ${titleOf(video)}`);
}

function skip() {
  if ($("card").hidden) return;
  const video = current();
  const seconds = player.take();
  player.pause();
  video.skipped = true;
  video.watched = (video.watched ?? 0) + seconds;
  act("skip", { watch_seconds: seconds });
  go(1);
}

// Events

function act(kind, facts = {}) {
  const video = current();
  outbox.add({
    event_id: uuid(), user_id: feed.user, video_id: video.video_id, kind, at: new Date().toISOString(),
    request_id: feed.page.request_id, position: video.position, propensity: video.propensity, ...facts,
  });
  if (kind !== "impression") turned((feed.actions += 1), more());
  row(feed.page, feed.place, feed.place);
}

/** The video of the stage is seen; told once. */
function seen() {
  const video = current();
  if (!video || video.seen || !visible || document.hidden || $("card").hidden) return;
  video.seen = true;
  act("impression");
}

/** The viewer asked for this very video; told once. */
function chosen(video) {
  if (video.clicked) return;
  seen();
  video.clicked = true;
  act("click");
}

/** Tells how long the video of the stage was watched since that was last told. */
function report() {
  const video = current();
  if (!video || $("card").hidden) return;
  const seconds = player.take();
  if (seconds < SMALLEST_WATCH) return;
  video.watched = (video.watched ?? 0) + seconds;
  act("watch", { watch_seconds: seconds });
}

function stuck(failure, waiting) {
  if (!failure) {
    if ($("notice").dataset.about === "events") notice();
    return;
  }
  const events = count(waiting, "event");
  if (failure.kind === "unauthorised") {
    notice("events", `The service asks for a key before it takes events; ${events} waiting.`, "Enter a key", askKey);
  } else if (failure.passing) {
    notice("events", `The service does not take events; ${events} waiting.`, "Send again", () => outbox.start());
  } else {
    notice("events", `The service refused an event: ${failure.message}`, "Dismiss", () => notice());
  }
}

// Keys and takedowns

/** Asks in the dialogue until `act` succeeds or the viewer gives up. */
function ask(title, text, yes, act) {
  const dialogue = $("asks");
  $("asks-title").textContent = title;
  $("asks-text").textContent = text;
  $("asks-yes").textContent = yes;
  $("asks-wrong").textContent = "";
  $("key").value = api.key;
  dialogue.querySelector("form").onsubmit = async (submitted) => {
    submitted.preventDefault();
    api.key = $("key").value.trim();
    $("asks-wrong").textContent = "";
    $("asks-yes").disabled = true;
    try {
      await act();
      dialogue.close();
    } catch (failure) {
      $("asks-wrong").textContent = failure.kind === "unauthorised"
        ? "This key is not accepted. Enter another one." : trouble(failure).join(". ");
    } finally {
      $("asks-yes").disabled = false;
    }
  };
  dialogue.showModal();
  $("key").focus();
}

function askKey() {
  ask("Enter a key", "It is sent with every request, and forgotten when this tab is closed.", "Use it",
    async () => { notice(); outbox.start(); });
}

function takeDown() {
  const video = current();
  const down = !video.gone;
  const title = titleOf(video);
  player.pause();
  ask(down ? "Take this video down?" : "Bring this video back?",
    down ? `“${title}” will be gone from the next page on, for everybody. Operators only.`
      : `“${title}” may be shown again from the next page on.`,
    down ? "Take it down" : "Bring it back",
    async () => {
      await api.takeDown(video.video_id, down);
      video.gone = down;
      done(current());
      feed.page.videos.forEach((_, place) => row(feed.page, place, feed.place));
      say(down ? `Taken down: ${title}` : `Brought back: ${title}`);
    });
}

// Controls

function newcomer() {
  // Far above the ids that data sets count up from one.
  const [chance] = crypto.getRandomValues(new Uint32Array(1));
  open(String(5e9 + chance), true);
}

$("choose").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  const text = $("user").value.trim();
  const right = ID.test(text) && BigInt(text) < LARGEST_ID && BigInt(text) >= -LARGEST_ID;
  $("user-wrong").textContent = right ? "" : "Enter a whole number: the id of a viewer in the data.";
  $("user").setAttribute("aria-invalid", String(!right));
  if (right) open(String(BigInt(text)), false);
  else $("user").focus();
});
$("user").addEventListener("input", () => {
  $("user-wrong").textContent = "";
  $("user").removeAttribute("aria-invalid");
});
for (const [id, act] of Object.entries({
  newcomer, start: newcomer, play: toggle, like, skip, previous: () => go(-1), next: () => go(1),
  "next-page": nextPage, takedown: takeDown, "set-key": askKey, "asks-no": () => $("asks").close(),
})) $(id).addEventListener("click", act);
$("anew").addEventListener("click", () => open(feed.user, feed.fresh, feed.again));
$("again").addEventListener("click", () => open(feed.user, feed.fresh, true));
$("speed").addEventListener("change", () => (player.speed = Number($("speed").value)));
$("repeats").addEventListener("change", () => feed.page && turned(feed.actions, more()));
$("list").addEventListener("click", (clicked) => {
  const button = clicked.target.closest("button");
  if (!button || !$("loading").hidden) return;
  report();
  stage("card");
  choose(Number(button.dataset.place), false);
  chosen(current());
  player.play();
  $("stage").focus({ preventScroll: true });
  $("stage").scrollIntoView({ block: "nearest", behavior: still.matches ? "auto" : "smooth" });
});

// Only here, so that a key means nothing where somebody types or reads.
$("stage").addEventListener("keydown", (pressed) => {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || pressed.target.closest("select")) return;
  if (pressed.key === " " && pressed.target.closest("button")) return;
  const act = {
    ArrowDown: () => go(1), ArrowUp: () => go(-1), ArrowRight: skip, ArrowLeft: () => player.restart(),
    " ": toggle, l: like, n: nextPage,
  }[pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key];
  if (!act || $("card").hidden) return;
  pressed.preventDefault();
  if (!pressed.repeat) act();
});

let touch = null;
$("card").addEventListener("pointerdown", (down) => {
  touch = down.pointerType === "touch" && !down.target.closest("button, select") ? down : null;
});
$("card").addEventListener("pointerup", (up) => {
  if (!touch) return;
  const [across, along] = [up.clientX - touch.clientX, up.clientY - touch.clientY];
  touch = null;
  if (Math.abs(across) > 48 && Math.abs(across) > 2 * Math.abs(along)) go(across < 0 ? 1 : -1);
});

new IntersectionObserver(([entry]) => {
  visible = entry.intersectionRatio >= 0.5;
  seen();
}, { threshold: [0, 0.5, 1] }).observe($("card"));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) player.pause();
  else seen();
});
addEventListener("pagehide", () => {
  report();
  outbox.leave();
});
document.addEventListener("pointerdown", (down) => {
  if (!down.target.closest("#options")) $("options").open = false;
});
$("options").addEventListener("keydown", (pressed) => {
  if (pressed.key !== "Escape") return;
  $("options").open = false;
  $("options").firstElementChild.focus();
});

$("autoplay").checked = !still.matches;
stage("intro");
// A fragment is sent to nobody; opening a feed takes it out of the address.
api.key = new URLSearchParams(location.hash.slice(1)).get("key") ?? api.key;
const wanted = new URLSearchParams(location.search).get("viewer") ?? "";
if (ID.test(wanted)) open(wanted, false);
