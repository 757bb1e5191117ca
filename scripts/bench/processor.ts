/** The processor that a figure comes from: ratios differ between processors, since libraries have code for each. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** What matters for matrix products, the widest first; as Linux names it. */
const VECTORS = ['avx512_vnni', 'avx512f', 'avx2', 'asimd'];

/** Such as "AMD EPYC 7763, 2 cores, avx2". */
export function processor(): string {
  const found = cpus();
  const flags = new Set(linuxFlags());
  const widest = VECTORS.find((name) => flags.has(name));
  return [found[0]?.model.trim() ?? 'unknown processor', `${found.length} cores`, ...(widest ? [widest] : [])].join(
    ', ',
  );
}

function linuxFlags(): string[] {
  try {
    return /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
  } catch {
    return []; // another system
  }
}
