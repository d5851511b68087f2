import '@backstage/ui/css/styles.css';
import './console.css';
import readable from '@dead-letter/backstage-plugin-dead-letter/src/components/readable.module.css';
import { createRoot } from 'react-dom/client';
import { Console } from './Console';
import { Session } from './session/Session';
import { readSettings } from './session/settings';
import { startTheme } from './theme';

startTheme();
document.body.classList.add(readable.readable);
const root = createRoot(document.getElementById('root')!);

async function start() {
  const session = await Session.resume(await readSettings());
  root.render(<Console session={session} />);
}

start().catch(error =>
  root.render(
    <main role="alert">
      <h1>The console could not start</h1>
      <p>{String(error)}</p>
      <p>Reload the page. If that does not help, look at the service's log.</p>
    </main>,
  ),
);
