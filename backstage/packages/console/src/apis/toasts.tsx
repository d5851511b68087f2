import { ToastApi, ToastApiMessage } from '@backstage/frontend-plugin-api';
import { Alert, ButtonIcon } from '@backstage/ui';
import { RiCloseLine } from '@remixicon/react';
import {
  UNSTABLE_Toast as Toast,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
} from 'react-aria-components';
import styles from './toasts.module.css';

/** So many are shown at once; the others follow. */
const SHOWN = 4;

const queue = new ToastQueue<ToastApiMessage>({ maxVisibleToasts: SHOWN });

/** Says what came of something, wherever its reader is by then. */
export const toasts: ToastApi = {
  post(message) {
    const key = queue.add(message, { timeout: message.timeout });
    return { close: () => queue.close(key) };
  },
};

/** Where they are said. */
export function Toasts() {
  return (
    <ToastRegion queue={queue} className={styles.region}>
      {({ toast }) => (
        <Toast toast={toast} className={styles.toast}>
          <ToastContent>
            <Alert
              status={
                toast.content.status === 'neutral'
                  ? 'info'
                  : toast.content.status ?? 'success'
              }
              icon
              title={toast.content.title}
              description={toast.content.description}
              customActions={
                <ButtonIcon
                  size="small"
                  variant="tertiary"
                  aria-label="Close"
                  icon={<RiCloseLine />}
                  onPress={() => queue.close(toast.key)}
                />
              }
            />
          </ToastContent>
        </Toast>
      )}
    </ToastRegion>
  );
}
