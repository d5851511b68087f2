import { Flex, Text } from '@backstage/ui';
import { RiInboxLine, RiSearchLine } from '@remixicon/react';
import { ReactNode } from 'react';

interface EmptyProps {
  title: string;
  description?: ReactNode;
  action?: ReactNode;
  /** Why nothing is shown: there is nothing, or the filter leaves all of it out. */
  why?: 'nothing' | 'filtered';
}

const ICONS = { nothing: RiInboxLine, filtered: RiSearchLine };

/** Nothing is shown, and why. Whether that is good is not known: what is gone may have been deleted. */
export function Empty({
  title,
  description,
  action,
  why = 'nothing',
}: EmptyProps) {
  const Icon = ICONS[why];
  return (
    <Flex direction="column" align="center" gap="2" p="8">
      <Icon size={40} aria-hidden data-icon={why} />
      <Text variant="title-x-small" as="p">
        {title}
      </Text>
      {description && (
        <Text variant="body-medium" color="secondary" as="p">
          {description}
        </Text>
      )}
      {action}
    </Flex>
  );
}
