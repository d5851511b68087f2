import { Flex, Link } from '@backstage/ui';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useGroupPath } from '../../hooks/useGroupPath';
import { useMay } from '../../hooks/useMay';
import { ErrorGroupMenu } from '../squad/ErrorGroupMenu';
import { StateBadge } from '../squad/StateBadge';
import { useTitle } from '../squad/useTitle';

interface ChosenGroupProps {
  id: string;
  /** The entity whose permissions count. */
  resourceRef: string;
}

/** The error group that is filtered by: how it stands, and what can be said about it. It need not have any dead letters now. */
export function ChosenGroup({ id, resourceRef }: ChosenGroupProps) {
  const { data: group } = useAnswer(
    ['error-groups', 'one', id],
    (client, signal) => client.errorGroup(id, signal),
    { keep: false },
  );
  const { allowed } = useMay('triage', {
    services: group && [group.service],
    resourceRef,
  });
  if (!group) return null;
  return (
    <Flex gap="2" align="center">
      <StateBadge group={group} />
      <Title group={group} />
      {allowed && <ErrorGroupMenu group={group} />}
    </Flex>
  );
}

function Title({ group }: { group: Parameters<typeof useTitle>[0] }) {
  const groupPath = useGroupPath();
  return (
    <Link href={groupPath(group.id)} weight="bold">
      {useTitle(group)}
    </Link>
  );
}
