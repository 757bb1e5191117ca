/** The inner loops of the renderer. kernel/ is their AssemblyScript; `npm run kernels` compiles it to kernel.wasm. */
import { readFileSync } from 'node:fs';

/** What kernel/index.ts exports; addresses and sizes are in bytes. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  allocate(size: number): number;
  setUp(width: number, height: number, samples: number): void;
  begin(triangles: number, vertices: number): void;
  turnTo(view: number, n: number): void;
  enter(draw: number, side: number): void;
  readLabels(view: number, background: number, classes: number, instances: number, depth: number): void;
  shade(view: number, surroundings: number, light: number): void;
  pack(from: number, to: number, count: number): void;
  encode(from: number, to: number, count: number, table: number, steps: number): void;
}

const module = new WebAssembly.Module(readFileSync(new URL('kernel.wasm', import.meta.url)));

/** A piece of memory that is used again in each frame. */
interface Chunk {
  readonly start: number;
  readonly size: number;
}

const LEAST_CHUNK = 1 << 20;

/** An instance of the kernel and its memory. Allocated memory is freed only with the whole instance. */
export class Kernel {
  readonly run = new WebAssembly.Instance(module).exports as unknown as Exports;
  /** The whole memory, by kind of number. */
  bytes = new Uint8Array(0);
  ints!: Int32Array;
  floats!: Float32Array;
  doubles!: Float64Array;
  private readonly chunks: Chunk[] = []; // In the order of their use in a frame.
  private chunk = -1;
  private next = 0;
  private end = 0;

  constructor() {
    this.refresh();
  }

  /** Size of the memory, in bytes. */
  get size(): number {
    return this.bytes.length;
  }

  /** Memory that lasts; its address is a multiple of 16. */
  allocate(size: number): number {
    const address = this.run.allocate(size);
    this.refresh();
    return address;
  }

  /** Renews the arrays where the kernel's memory has grown. */
  refresh(): void {
    const { buffer } = this.run.memory;
    if (buffer === this.bytes?.buffer) return;
    this.bytes = new Uint8Array(buffer);
    this.ints = new Int32Array(buffer);
    this.floats = new Float32Array(buffer);
    this.doubles = new Float64Array(buffer);
  }

  /** Starts a frame: memory that was taken for the last one may be overwritten. */
  beginFrame(): void {
    this.chunk = -1;
    this.next = this.end = 0;
  }

  /** Memory for this frame; its address is a multiple of 16. */
  take(size: number): number {
    while (this.next + size > this.end) {
      this.chunk++;
      const chunk = (this.chunks[this.chunk] ??= this.newChunk(size));
      this.next = chunk.start;
      this.end = chunk.start + chunk.size;
    }
    const address = this.next;
    this.next += (size + 15) & ~15;
    return address;
  }

  private newChunk(least: number): Chunk {
    const size = Math.max(least + 16, LEAST_CHUNK);
    return { start: this.allocate(size), size };
  }
}

/** Writes a record for the kernel number by number, in the order of its fields in kernel/records.ts. */
export class RecordWriter {
  private next: number;

  /** @param address of the record; if left out, memory of this frame is taken for `numbers` numbers */
  constructor(
    private readonly kernel: Kernel,
    numbers: number,
    readonly address = kernel.take(numbers * 4),
  ) {
    this.next = address >> 2;
  }

  int(value: number): this {
    this.kernel.ints[this.next++] = value;
    return this;
  }

  float(value: number): this {
    this.kernel.floats[this.next++] = value;
    return this;
  }
}
