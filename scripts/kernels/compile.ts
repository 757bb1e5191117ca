/** Compiles the inner loops, which are written in AssemblyScript, to WebAssembly. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Where each one's source starts, and where what is compiled of it stands. */
export const KERNELS = [
  { source: 'env/render/software/kernel/index.ts', output: 'env/render/software/kernel.wasm' },
  {
    source: 'env/simulators/traffic/camera/sensor-kernel/index.ts',
    output: 'env/simulators/traffic/camera/sensor.wasm',
  },
];

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Called as a program: its own types would change those of arrays everywhere. */
const compiler = fileURLToPath(new URL('../../node_modules/assemblyscript/bin/asc.js', import.meta.url));

const OPTIONS = [
  ['-O3', '--enable', 'simd'],
  ['--runtime', 'stub', '--noAssert', '--use', 'abort='], // No garbage collector and no imports.
  ['--disableWarning', '112'], // It warns of v128 in functions that are not exported.
].flat();

/** @throws {Error} with what the compiler says, when it can't */
export async function compileKernel(source: string, outFile: string): Promise<void> {
  await promisify(execFile)(process.execPath, [compiler, source, '--baseDir', root, '--outFile', outFile, ...OPTIONS]);
}
