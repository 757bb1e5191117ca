import { readFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';

/** What libtensorflow chooses its kernels by. */
const INSTRUCTIONS = ['avx2', 'fma', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_bf16', 'asimd', 'sve'];

/**
 * What makes two workers give equal rewards to the bit: the backend, and for libtensorflow, which sums in another order on
 * another processor, the processor's instructions. WebAssembly and JavaScript compute alike everywhere.
 *
 * @param backend as an experiment reports it
 */
export function arithmeticOf(backend: string): string {
  return backend.startsWith('tfjs-node') ? `${backend}, ${instructions()}` : backend;
}

function instructions(): string {
  try {
    const line = /^(?:flags|Features)\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1] ?? '';
    const words = new Set(line.split(' '));
    return [arch(), ...INSTRUCTIONS.filter((name) => words.has(name))].join(' ');
  } catch {
    return `${arch()} ${cpus()[0]?.model ?? ''}`; // not on Linux
  }
}
