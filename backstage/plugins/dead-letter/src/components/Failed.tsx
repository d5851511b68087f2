import { Alert, AlertProps } from '@backstage/ui';
import { reasonOf } from './Answers';

interface FailedProps {
  /** What was tried. */
  title: string;
  error: Error | null | undefined;
  mt?: AlertProps['mt'];
}

/** Says that something which somebody asked for did not work, and why; nothing where nothing is wrong. */
export function Failed({ title, error, mt }: FailedProps) {
  if (!error) return null;
  return (
    <Alert
      role="alert"
      status="danger"
      icon
      mt={mt}
      title={title}
      description={reasonOf(error)}
    />
  );
}
