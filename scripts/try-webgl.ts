/** Draws a street by WebGL and by the rasteriser, and says what drew it: `node --import tsx scripts/try-webgl.ts <folder>`. */
import { resolve } from 'node:path';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { defaultTheta } from '../protocol/parameters.ts';
import { SoftwareRenderer } from '../env/render/software/software-renderer.ts';
import { openWebgl } from '../env/render/webgl/context.ts';
import { WebglRenderer } from '../env/render/webgl/webgl-renderer.ts';
import { TRAFFIC_PARAMETERS, type TrafficTheta } from '../env/simulators/traffic/parameters.ts';
import { drawScene } from '../env/simulators/traffic/scene.ts';

const SIZE = { width: 320, height: 240 };
/** A smaller share of equal labels is a defect of the driver. */
const LEAST_EQUAL = 0.98;

const [folder] = newCommand('try-webgl')
  .description('Draws a street by WebGL and by the rasteriser, and says what drew it.')
  .argument('<folder>', 'where node-canvas-webgl is installed')
  .parse().processedArgs as [string];

await runProgram('try-webgl', () => {
  const { driver } = openWebgl([resolve(folder)]);
  const { scene, camera } = drawScene(defaultTheta(TRAFFIC_PARAMETERS) as unknown as TrafficTheta, 1, SIZE);
  const expected = new SoftwareRenderer().draw(scene, camera, SIZE).classes;
  const got = new WebglRenderer().draw(scene, camera, SIZE).classes;
  const equal = got.reduce((sum, id, i) => sum + +(id === expected[i]), 0) / got.length;
  if (equal < LEAST_EQUAL) {
    throw new Error(
      `${driver}: expected a picture with the rasteriser's labels, got ${(100 * equal).toFixed(1)} % of them`,
    );
  }
  const where = /llvmpipe|softpipe|swiftshader/i.test(driver) ? 'in software' : 'on a GPU';
  process.stdout.write(
    `RESULT drawn ${where} by ${driver}; ${(100 * equal).toFixed(1)} % of labels equal the rasteriser's\n`,
  );
});
