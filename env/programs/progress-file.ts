/** The file that a program appends its progress to, line by line. */
import { open, type FileHandle } from 'node:fs/promises';
import { isRegularFile } from '../../protocol/regular-file.ts';
import { progressLine, type ProgressLine } from './contract.ts';

/** What a program has written since the last look beyond this number of bytes is passed over. */
const MOST_BYTES = 2 ** 20;

export class ProgressFile {
  /** The first line that is none of progress. */
  unreadable: string | undefined;
  private offset = 0;
  private rest = '';

  constructor(readonly path: string) {}

  /** The whole lines since the last call. A file that is not there yet, or cannot be read, has none. */
  async read(): Promise<ProgressLine[]> {
    const lines = (this.rest + (await this.newText())).split('\n');
    this.rest = lines.pop()!.slice(-MOST_BYTES);
    return lines.filter((line) => line.trim() !== '').flatMap((line) => this.parsed(line) ?? []);
  }

  private async newText(): Promise<string> {
    let file: FileHandle | undefined;
    try {
      if (!isRegularFile(this.path)) return ''; // reading from something else might never end
      file = await open(this.path);
      const { size } = await file.stat();
      if (size - this.offset > MOST_BYTES) {
        this.offset = size - MOST_BYTES;
        this.rest = '';
      }
      const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, size - this.offset)), {
        position: this.offset,
      });
      this.offset += bytesRead;
      return buffer.toString('utf8', 0, bytesRead);
    } catch {
      return '';
    } finally {
      await file?.close();
    }
  }

  private parsed(line: string): ProgressLine | undefined {
    try {
      return progressLine.parse(JSON.parse(line));
    } catch {
      this.unreadable ??= line;
      return undefined;
    }
  }
}
