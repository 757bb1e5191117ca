/** A queue with fair turns: each owner's items in their order, owners one after the other. */
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

  /** Takes the next item; its owner goes to the end of the row. */
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

  /** Takes out one item wherever it stands; false when it is not there (any more). */
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
