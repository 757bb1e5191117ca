/** `npm run kernels`: compiles the inner loops of renderer and sensor. Run it after a change of their source. */
import { KERNELS, compileKernel } from './kernels/compile.ts';

for (const { source, output } of KERNELS) {
  await compileKernel(source, output);
  console.log(`${source} → ${output}`);
}
