// Sentences and numbers as a viewer reads them.

const CAUSES = {
  store_down: "The store does not answer: histories and features are missing.",
  store_slow: "The store did not answer in time: histories and features are missing.",
  predictor_down: "The ranker does not answer: videos stand in the order of recall.",
  predictor_slow: "The ranker did not answer in time: videos stand in the order of recall.",
  predictor_refused: "The ranker refused: videos stand in the order of recall.",
  bundle_mismatch: "No ranker holds this bundle: videos stand in the order of recall.",
  over_budget: "The time was nearly spent, and a stage was left out.",
  bad_features: "What is stored of this viewer cannot be used.",
  unknown_user: "Nobody knows this viewer yet: popularity and the hour decide.",
  empty_history: "This viewer has done nothing yet: popularity and the hour decide.",
};

/** A cause on the wire as a sentence; one that is not known here still says its name. */
export const cause = (name) => CAUSES[name] ?? `${plain(name)}.`;

/** A name on the wire as words. */
export const plain = (name) => {
  const words = String(name).replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** What went wrong with a page, and what to do: `[title, advice]`. */
export function trouble(failure) {
  const said = failure.message ? ` The server said: ${failure.message}.` : "";
  switch (failure.kind) {
    case "offline":
      return ["The service does not answer",
        "Look whether “shortlist up” still runs where it was started, and whether this device is online. Then try again."];
    case "timeout":
      return ["The service takes too long", "No answer came within 10 seconds. Wait a moment, then try again."];
    case "not_ready":
      return ["The service is not ready", `It may still be starting, or no bundle is published: “shortlist demo” makes one. Then try again.${said}`];
    case "rate_limited":
      return ["Too many requests", `Wait ${failure.retryAfter ? `${failure.retryAfter} seconds` : "a moment"}, then try again.`];
    case "unauthorised":
      return ["A key is needed", "This service asks for a key. Enter yours under Options, then try again."];
    case "malformed":
      return ["The service did not take the request", `Check the viewer's id and try again.${said}`];
    default:
      return ["Something went wrong", `Try again; where it stays, the service's log says why.${said}`];
  }
}

/** Seconds as minutes and seconds. */
export const clock = (seconds) => {
  const whole = Math.floor(seconds + 0.05);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

/** A count with its noun. */
export const count = (number, noun, more = `${noun}s`) => `${number} ${number === 1 ? noun : more}`;

/** Milliseconds, with a decimal where they are few. */
export const ms = (value) => (value < 9.95 ? value.toFixed(1) : String(Math.round(value)));

/** A score or a probability in three signs that count. */
export const number = (value) => (Math.abs(value) >= 0.001 || value === 0
  ? String(Number(value.toPrecision(3))) : value.toExponential(1)).replace("-", "−");

/** What a mark of a place says. */
export const markWords = (mark) => ({
  first: "", same: "same", new: "new", up: `up from ${mark.from + 1}`, down: `down from ${mark.from + 1}`,
})[mark.kind];
