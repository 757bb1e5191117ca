/** A queue in which owners take turns: each owner's items keep their order, and `take` goes from owner to owner. */
export class FairQueue<Item> {
  private readonly lines = new Map<string, Item[]>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(owner: string, item: Item): void {
    const line = this.lines.get(owner);
    if (line) line.push(item);
    else this.lines.set(owner, [item]);
    this.count++;
  }

  *items(): Generator<Item> {
    for (const line of this.lines.values()) yield* line;
  }

  /** The item that `take` would give. */
  peek(): Item | undefined {
    const first = this.lines.values().next();
    return first.done ? undefined : first.value[0];
  }

  /** Takes the next item; its owner goes to the end of the line. */
  take(): Item | undefined {
    const first = this.lines.entries().next();
    if (first.done) return undefined;
    const [owner, line] = first.value;
    const item = line.shift();
    this.lines.delete(owner);
    if (line.length > 0) this.lines.set(owner, line);
    this.count--;
    return item;
  }

  /** Removes one item, wherever it is in the queue; false if it is not there. */
  remove(owner: string, item: Item): boolean {
    const line = this.lines.get(owner);
    const position = line?.indexOf(item) ?? -1;
    if (line === undefined || position < 0) return false;
    line.splice(position, 1);
    if (line.length === 0) this.lines.delete(owner);
    this.count--;
    return true;
  }
}
