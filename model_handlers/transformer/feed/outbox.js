// Events on their way: sent as they happen, in order, each under one id however often it is sent.

const PAUSE = 800;
const BATCH = 50;
const MOST = 500;

export class Outbox {
  #waiting = [];
  #running = null;

  /**
   * @param {(events: object[], last?: boolean) => Promise<object[]>} send
   * @param {(event: object, status: string) => void} told what became of an event
   * @param {(failure: Error | null, waiting: number) => void} stuck it cannot send; null: it can
   */
  constructor(send, told, stuck) {
    Object.assign(this, { send, told, stuck });
  }

  /** Puts an event in line and starts to send. */
  add(event) {
    this.#waiting.push(event);
    this.told(event, "sending");
    while (this.#waiting.length > MOST) this.told(this.#waiting.shift(), "lost");
    this.start();
  }

  /** Sends what waits, unless that is under way. */
  start() {
    this.#running ??= this.#run().finally(() => (this.#running = null));
    return this.#running;
  }

  /** When all is sent or cannot be, at the latest after some milliseconds. */
  async settled(milliseconds) {
    if (!this.#waiting.length) return;
    await Promise.race([this.start(), new Promise((done) => setTimeout(done, milliseconds))]);
  }

  /** The page goes away: a last try that outlives it; the same ids make a second copy harmless. */
  leave() {
    if (this.#waiting.length) this.send(this.#waiting.slice(-BATCH), true).catch(() => {});
  }

  async #run() {
    await null; // what happens in one step travels together
    while (this.#waiting.length) {
      const batch = this.#waiting.slice(0, BATCH);
      let receipts;
      try {
        receipts = await this.#twice(batch);
      } catch (failure) {
        const hopeless = !failure.passing && failure.kind !== "unauthorised";
        if (hopeless) this.#drop(batch, () => "refused");
        else for (const event of batch) this.told(event, "waiting");
        this.stuck(failure, this.#waiting.length);
        if (hopeless) continue;
        return;
      }
      const status = new Map(receipts.map((receipt) => [receipt.event_id, receipt.status]));
      this.#drop(batch, (event) => status.get(event.event_id) ?? "accepted");
      this.stuck(null, this.#waiting.length);
    }
  }

  async #twice(batch) {
    try {
      return await this.send(batch);
    } catch (failure) {
      if (!failure.passing) throw failure;
      for (const event of batch) this.told(event, "retrying");
      await new Promise((done) => setTimeout(done, Math.min(1000 * failure.retryAfter, 5000) || PAUSE));
      return this.send(batch);
    }
  }

  #drop(batch, status) {
    this.#waiting = this.#waiting.filter((event) => !batch.includes(event));
    for (const event of batch) this.told(event, status(event));
  }
}
