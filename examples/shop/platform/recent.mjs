/** A map that keeps the newest entries only: the shop's memory stays bounded however long the load runs. */
export class Recent extends Map {
  #limit;

  /** @param {number} [limit] entries kept */
  constructor(limit = 5000) {
    super();
    this.#limit = limit;
  }

  set(key, value) {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.#limit) this.delete(this.keys().next().value);
    return this;
  }
}
