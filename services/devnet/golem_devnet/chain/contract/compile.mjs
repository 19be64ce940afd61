// Rebuilds LocalGLM.json beside this file:  npm install --no-save solc@0.8.37 && node compile.mjs
// The artifact is committed, so that neither Node nor solc is needed to build or run the chain image.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const here = (name) => new URL(name, import.meta.url);
const solc = createRequire(process.cwd() + '/')('solc');

const output = JSON.parse(solc.compile(JSON.stringify({
  language: 'Solidity',
  sources: { 'LocalGLM.sol': { content: readFileSync(here('LocalGLM.sol'), 'utf8') } },
  settings: {
    evmVersion: 'paris',
    optimizer: { enabled: true, runs: 200 },
    outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.methodIdentifiers'] } },
  },
})));

for (const problem of output.errors ?? []) console.error(problem.formattedMessage);
const contract = output.contracts?.['LocalGLM.sol']?.LocalGLM;
if (!contract) process.exit(1);

writeFileSync(here('LocalGLM.json'), JSON.stringify({
  compiler: solc.version(),
  abi: contract.abi,
  selectors: contract.evm.methodIdentifiers,
  bytecode: '0x' + contract.evm.bytecode.object,
}, null, 1) + '\n');
