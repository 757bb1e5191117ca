/** `npm run kernels`: compiles the inner loops of renderer and sensor. Run it after a change of their source. */
import { endDescendants } from '../agents/run/process-family.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { KERNELS, compileKernel } from './kernels/compile.ts';

newCommand('kernels')
  .description('Compiles the inner loops of renderer and sensor from AssemblyScript to the .wasm files beside them.')
  .parse();

await runProgram('kernels', async () => {
  endDescendants();
  for (const { source, output } of KERNELS) {
    await compileKernel(source, output);
    console.log(`${source} → ${output}`);
  }
});
