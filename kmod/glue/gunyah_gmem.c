// SPDX-License-Identifier: GPL-2.0
/* Guest memory files: zero pages on demand, shared mappings, and the list of those mappings that lending looks at. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "compat.h"
#include "gunyah_glue.h"

/* A host mapping.  The vma may be split or shrunk any time: its range is read where it is needed. */
struct mapping {
	struct list_head in_gmem;
	struct vm_area_struct *vma;
};

struct page *gunyah_gmem_page(struct gunyah_gmem *gmem, u64 offset)
{
	unsigned long index = offset >> PAGE_SHIFT;
	struct page *page;

	if (offset >= gmem->size)
		return NULL;
	page = xa_load(&gmem->pages, index);
	if (page)
		return page;
	page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (page && xa_err(xa_store(&gmem->pages, index, page, GFP_KERNEL))) {
		__free_page(page);
		page = NULL;
	}
	return page;
}

bool gunyah_gmem_mapped(struct gunyah_gmem *gmem, u64 offset, u64 size)
{
	u64 first = offset >> PAGE_SHIFT, last = (offset + size - 1) >> PAGE_SHIFT;
	struct mapping *m;

	list_for_each_entry(m, &gmem->vmas, in_gmem) {
		u64 start = READ_ONCE(m->vma->vm_pgoff);

		if (first < start + vma_pages(m->vma) && start <= last)
			return true;
	}
	return false;
}

/* Does a guest hold any page of the range as its own? */
static bool held_by_guest(struct gunyah_gmem *gmem, u64 offset, u64 size)
{
	struct gunyah_binding *b;
	u64 at;

	list_for_each_entry(b, &gmem->bindings, in_gmem) {
		if (!b->lend)
			continue;
		for (at = max(offset, b->offset); at < min(offset + size, b->offset + b->size); at += PAGE_SIZE) {
			if (b->pages[(at - b->offset) >> PAGE_SHIFT])
				return true;
		}
	}
	return false;
}

static vm_fault_t gmem_fault(struct vm_fault *vmf)
{
	struct gunyah_gmem *gmem = vmf->vma->vm_file->private_data;
	u64 offset = (u64)vmf->pgoff << PAGE_SHIFT;
	vm_fault_t r = VM_FAULT_SIGBUS;
	struct page *page;

	mutex_lock(&gmem->lock);
	if (offset < gmem->size && !held_by_guest(gmem, offset, PAGE_SIZE)) {
		page = gunyah_gmem_page(gmem, offset);
		r = page ? 0 : VM_FAULT_OOM;
		if (page) {
			get_page(page);
			vmf->page = page;
		}
	}
	mutex_unlock(&gmem->lock);
	return r;
}

static void mapping_add(struct gunyah_gmem *gmem, struct vm_area_struct *vma)
{
	struct mapping *m = kmalloc(sizeof(*m), GFP_KERNEL | __GFP_NOFAIL);

	m->vma = vma;
	list_add(&m->in_gmem, &gmem->vmas);
}

static void gmem_vma_open(struct vm_area_struct *vma)
{
	struct gunyah_gmem *gmem = vma->vm_file->private_data;

	mutex_lock(&gmem->lock);
	mapping_add(gmem, vma);
	mutex_unlock(&gmem->lock);
}

static void gmem_vma_close(struct vm_area_struct *vma)
{
	struct gunyah_gmem *gmem = vma->vm_file->private_data;
	struct mapping *m;

	mutex_lock(&gmem->lock);
	list_for_each_entry(m, &gmem->vmas, in_gmem) {
		if (m->vma == vma) {
			list_del(&m->in_gmem);
			kfree(m);
			break;
		}
	}
	mutex_unlock(&gmem->lock);
}

static const struct vm_operations_struct gmem_vm_ops = {
	.open = gmem_vma_open,
	.close = gmem_vma_close,
	.fault = gmem_fault,
};

static int gmem_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct gunyah_gmem *gmem = file->private_data;
	int r = -EBUSY;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	mutex_lock(&gmem->lock);
	if (!held_by_guest(gmem, (u64)vma->vm_pgoff << PAGE_SHIFT, vma->vm_end - vma->vm_start)) {
		/* never merged with a neighbour: the list of mappings knows each by its address */
		vm_flags_set(vma, VM_DONTEXPAND);
		vma->vm_ops = &gmem_vm_ops;
		mapping_add(gmem, vma);
		r = 0;
	}
	mutex_unlock(&gmem->lock);
	return r;
}

static int gmem_release(struct inode *inode, struct file *file)
{
	struct gunyah_gmem *gmem = file->private_data;
	unsigned long index;
	struct page *page;

	xa_for_each(&gmem->pages, index, page)
		__free_page(page);
	xa_destroy(&gmem->pages);
	kfree(gmem);
	return 0;
}

static const struct file_operations gmem_fops = {
	.owner = THIS_MODULE,
	.mmap = gmem_mmap,
	.release = gmem_release,
};

long gunyah_gmem_create(const struct gunyah_create_mem_args *args)
{
	struct gunyah_gmem *gmem;
	struct file *file;
	int fd;

	if (!PAGE_ALIGNED(args->size) || args->size > MAX_LFS_FILESIZE)
		return -EINVAL;
	if (args->flags & ~(u64)(GHMF_CLOEXEC | GHMF_ALLOW_HUGEPAGE))
		return -EINVAL;
	gmem = kzalloc(sizeof(*gmem), GFP_KERNEL);
	if (!gmem)
		return -ENOMEM;
	mutex_init(&gmem->lock);
	xa_init(&gmem->pages);
	INIT_LIST_HEAD(&gmem->vmas);
	INIT_LIST_HEAD(&gmem->bindings);
	gmem->size = args->size;
	gmem->flags = args->flags;
	fd = get_unused_fd_flags(args->flags & GHMF_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		goto no_fd;
	file = anon_inode_getfile("[gh-gmem]", &gmem_fops, gmem, O_RDWR);
	if (IS_ERR(file))
		goto no_file;
	fd_install(fd, file);
	return fd;

no_file:
	put_unused_fd(fd);
	fd = PTR_ERR(file);
no_fd:
	kfree(gmem);
	return fd;
}

struct gunyah_gmem *gunyah_gmem_get(int fd, struct file **file)
{
	*file = fget(fd);
	if (!*file)
		return NULL;
	if ((*file)->f_op != &gmem_fops) {
		fput(*file);
		return NULL;
	}
	return (*file)->private_data;
}
