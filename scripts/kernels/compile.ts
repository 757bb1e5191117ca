/** Compiles the inner loops from AssemblyScript to WebAssembly. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The entry file of each kernel's source, and the file of its compiled code. */
export const KERNELS = [
  { source: 'env/render/software/kernel/index.ts', output: 'env/render/software/kernel.wasm' },
  {
    source: 'env/simulators/traffic/camera/sensor-kernel/index.ts',
    output: 'env/simulators/traffic/camera/sensor.wasm',
  },
];

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Started as a program, since importing it would change the types of arrays in the whole project. */
const compiler = fileURLToPath(new URL('../../node_modules/assemblyscript/bin/asc.js', import.meta.url));

const OPTIONS = [
  ['-O3', '--enable', 'simd'],
  ['--runtime', 'stub', '--noAssert', '--use', 'abort='], // no garbage collector and no imports
  ['--disableWarning', '112'], // a warning about v128 in functions that are not exported
].flat();

/** @throws {Error} with the compiler's message, when it fails */
export async function compileKernel(source: string, outFile: string): Promise<void> {
  await promisify(execFile)(process.execPath, [compiler, source, '--baseDir', root, '--outFile', outFile, ...OPTIONS]);
}
