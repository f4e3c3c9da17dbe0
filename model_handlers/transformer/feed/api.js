// Requests to the service: ids stay exact, every request ends, every failure says what it is.

/** Why a request did not give what was asked. */
export class Failure extends Error {
  /**
   * @param {string} kind of the refusal on the wire, or `offline`, `timeout`, `foreign`
   * @param {string} message one sentence of the server, where it said one
   * @param {{status?: number, retryAfter?: number}} more
   */
  constructor(kind, message, { status = 0, retryAfter = 0 } = {}) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may well succeed a moment later. */
  get passing() {
    return ["offline", "timeout", "rate_limited"].includes(this.kind) || this.status >= 500;
  }
}

const ID_FIELDS = "user_id|video_id|creator_id";
const IDS_READ = new RegExp(`"(${ID_FIELDS})":\\s*(-?\\d+)`, "g");
const IDS_WRITTEN = new RegExp(`"(${ID_FIELDS})":"(-?\\d+)"`, "g");

/** JSON with ids as strings: they have 64 bits, and a number here keeps 53. */
export const read = (text) => JSON.parse(text.replace(IDS_READ, '"$1":"$2"'));

/** JSON in which ids are numbers again. */
export const write = (value) => JSON.stringify(value).replace(IDS_WRITTEN, '"$1":$2');

/** A random id for an event or a session; `randomUUID` is missing where a page is not secure. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte, at) =>
    ((at === 6 ? (byte & 15) | 64 : at === 8 ? (byte & 63) | 128 : byte) + 256).toString(16).slice(1));
  return hex.join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export class Api {
  /** Bearer key for the routes that ask for one; loading the page again keeps it, closing the tab does not. */
  get key() {
    return sessionStorage.getItem("key") ?? "";
  }

  set key(key) {
    sessionStorage.setItem("key", key);
  }

  /** A page of videos: the answer's first prediction. */
  async page(request, signal) {
    const answer = await this.#ask("v1/models/shortlist:predict", { body: { instances: [request] }, signal });
    const page = answer?.predictions?.[0];
    if (!Array.isArray(page?.videos)) throw new Failure("foreign", "The answer holds no page.");
    return page;
  }

  /** What is known of videos, by id. */
  async videos(ids, signal) {
    if (!ids.length) return new Map();
    const answer = await this.#ask(`v1/videos?ids=${ids.join(",")}`, { signal });
    return new Map(answer.videos.map((video) => [video.video_id, video]));
  }

  /** Reports events; one receipt for each. `last` outlives the page. */
  async report(events, last = false) {
    const answer = await this.#ask("v1/events", { body: { events }, keepalive: last });
    return answer.events;
  }

  /** Takes a video down for everybody, or brings it back. */
  takeDown(id, down = true) {
    return this.#ask(`v1/videos/${id}/takedown`, { method: down ? "POST" : "DELETE" });
  }

  async #ask(path, { method, body, signal, keepalive = false } = {}) {
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (this.key) headers.Authorization = `Bearer ${this.key}`;
    const stop = new AbortController();
    const stopped = () => stop.abort(signal.reason);
    const patience = setTimeout(() => stop.abort(new Failure("timeout", "")), 10_000);
    signal?.addEventListener("abort", stopped);
    let answer;
    let text;
    try {
      answer = await fetch(path, {
        method: method ?? (body ? "POST" : "GET"), body: body && write(body),
        headers, keepalive, signal: stop.signal, cache: "no-store", redirect: "error",
      });
      text = await answer.text();
    } catch (error) {
      if (stop.signal.aborted) throw stop.signal.reason;
      throw new Failure("offline", String(error.message));
    } finally {
      clearTimeout(patience);
      signal?.removeEventListener("abort", stopped);
    }
    let value;
    try {
      value = text ? read(text) : null;
    } catch {
      throw new Failure("foreign", `HTTP ${answer.status} without JSON.`, { status: answer.status });
    }
    if (answer.ok) return value;
    const told = value?.error;
    const kind = told?.kind ?? (answer.status === 401 || answer.status === 403 ? "unauthorised" : "foreign");
    throw new Failure(kind, told?.message ?? `HTTP ${answer.status}.`, {
      status: answer.status,
      retryAfter: Number(answer.headers.get("Retry-After")) || 0,
    });
  }
}
