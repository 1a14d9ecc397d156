module.exports = {
  testRegex: String.raw`\.spec\.ts$`,
  transform: { '\\.ts$': ['ts-jest', { tsconfig: compilerOptions() }] },
};

function compilerOptions() {
  return {
    ...{ module: 'node16', moduleResolution: 'node16', target: 'es2021', isolatedModules: true, esModuleInterop: true },
    ...{ experimentalDecorators: true, emitDecoratorMetadata: true, skipLibCheck: true },
  };
}
