import { render } from 'preact';
import { App } from './app.tsx';
import { startMonitor } from './data/monitor.ts';
import { startRouter } from './router.ts';
import { start } from './session/session.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/views.css';

startRouter();
start();
startMonitor();
const root = document.getElementById('app');
if (root !== null) render(<App />, root);
