// A video without pictures: a clock that runs over its duration, faster than life.

const UNKNOWN = 30;
const BEAT = 100;
const SLOW_BEAT = 500;

export class Player {
  #timer = 0;
  #last = 0;
  #unreported = 0;

  speed = 8;
  at = 0;
  duration = UNKNOWN;
  playing = false;

  /**
   * @param {() => void} changed the clock moved, or started or stopped
   * @param {() => void} ended the video was seen to its end
   * @param {MediaQueryList} still whether motion is not wanted: two steps a second then
   */
  constructor(changed, ended, still) {
    Object.assign(this, { changed, ended, still });
  }

  /** Puts another video in; it does not start. */
  load(seconds) {
    this.pause();
    this.duration = seconds > 0 ? seconds : UNKNOWN;
    this.at = this.#unreported = 0;
    this.changed();
  }

  play() {
    if (this.playing) return;
    if (this.at >= this.duration) this.at = 0;
    this.playing = true;
    this.#last = performance.now();
    this.#next();
    this.changed();
  }

  pause() {
    if (!this.playing) return;
    this.#step();
    this.playing = false;
    clearTimeout(this.#timer);
    this.changed();
  }

  restart() {
    if (this.playing) this.#step();
    this.at = 0;
    this.changed();
  }

  /** Seconds of the video that were watched since this was last asked. */
  take() {
    if (this.playing) this.#step();
    const seconds = Math.round(this.#unreported * 10) / 10;
    this.#unreported = 0;
    return seconds;
  }

  #next() {
    this.#timer = setTimeout(() => this.#tick(), this.still.matches ? SLOW_BEAT : BEAT);
  }

  #tick() {
    this.#step();
    if (this.at < this.duration) {
      this.#next();
      this.changed();
      return;
    }
    this.playing = false;
    this.changed();
    this.ended();
  }

  #step() {
    const now = performance.now();
    // A device that slept did not watch.
    const passed = (Math.min(now - this.#last, 2 * SLOW_BEAT) / 1000) * this.speed;
    this.#last = now;
    const seen = Math.min(passed, this.duration - this.at);
    this.at += seen;
    this.#unreported += seen;
  }
}
