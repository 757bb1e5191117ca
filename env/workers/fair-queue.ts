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

  /**
   * Takes the next item; its owner goes to the end of the line.
   *
   * @param isFirst says which items go before the others
   */
  take(isFirst: (item: Item) => boolean = () => true): Item | undefined {
    const next = this.next(isFirst);
    if (!next) return undefined;
    const [owner, line] = next;
    const item = line.shift();
    this.lines.delete(owner);
    if (line.length > 0) this.lines.set(owner, line);
    this.count--;
    return item;
  }

  private next(isFirst: (item: Item) => boolean): [owner: string, line: Item[]] | undefined {
    for (const entry of this.lines) if (isFirst(entry[1][0]!)) return entry;
    return this.lines.entries().next().value;
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
