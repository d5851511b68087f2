import { DialogApiDialog } from '@backstage/frontend-plugin-api';
import { Answers } from '../../components/Answers';
import { useAskAgain } from '../../hooks/useDeadLetter';
import { PlanDialog } from '../acting/PlanDialog';
import { useFollow } from '../operations/useFollow';

interface RedeliverDialogProps {
  service: string;
  dialog: DialogApiDialog;
}

/** Plans to redeliver all of a service, wherever in Backstage that was asked for. */
export function RedeliverDialog(props: RedeliverDialogProps) {
  return (
    <Answers>
      <Redeliver {...props} />
    </Answers>
  );
}

function Redeliver({ service, dialog }: RedeliverDialogProps) {
  const follow = useFollow();
  const askAgain = useAskAgain();
  return (
    <PlanDialog
      kind="redeliver"
      selection={{ filter: { service } }}
      onClose={() => dialog.close()}
      onBegun={operation => {
        dialog.close();
        follow(operation, () => askAgain());
        askAgain();
      }}
    />
  );
}
