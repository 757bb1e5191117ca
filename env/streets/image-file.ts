import { readFile } from 'node:fs/promises';

/**
 * What a file's bytes are an image of.
 *
 * @throws {Error} naming the file, and why it cannot be read
 */
export async function decodedFile<Image>(path: string, decode: (bytes: Buffer) => Promise<Image>): Promise<Image> {
  try {
    return await decode(await readFile(path));
  } catch (error) {
    throw new Error(`${path}: expected a readable image (${(error as Error).message})`, { cause: error });
  }
}
